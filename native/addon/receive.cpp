// Messages from the core into JavaScript: many per call, small parts copied side by side into a
// slab, large ones by reference.
#include <algorithm>

#include "errors.hpp"
#include "functions.hpp"
#include "napi_util.hpp"
#include "values.hpp"

namespace zerowire::addon {
namespace {

enum Flags : uint32_t { kMore = 1, kByReference = 2, kAllInLarge = 4 };
constexpr std::size_t kDescriptor = 3;  // numbers per part

/// Received Buffers mostly die young. V8 frees such by a quick collection when the space for young
/// objects is used up, of which the largest Buffer takes little; it comes later than the search for
/// garbage everywhere, which is due for every 64 MiB of external memory. So that space is used up
/// on purpose, by 64 KiB for every MiB received: as long as the program leaves it at 1 MiB, every
/// 16 MiB or so. V8 up to that of Node.js 22 also collects for every 32 MiB of young Buffers,
/// however large the space, but asks only when it allocates the memory of one itself.
constexpr std::size_t kReceived = 1024 * 1024;
constexpr std::size_t kElements = 64 * 1024 / 8;
constexpr std::size_t kMostPieces = 16;
/// Since the last time; per thread, as V8's heap is.
thread_local std::size_t received_since = 0;

void make_garbage(napi_env env, std::size_t received) {
  received_since += received;
  const std::size_t pieces = std::min(received_since / kReceived, kMostPieces);
  if (pieces == 0) return;
  received_since %= kReceived;
  napi_value garbage = nullptr;
  void* memory = nullptr;
  for (std::size_t i = 0; i < pieces; ++i) {
    (void)napi_create_array_with_length(env, kElements, &garbage);
  }
  (void)napi_create_arraybuffer(env, 1, &memory, &garbage);
}

void release_frame(napi_env, void*, void* buffer) { buffer_unref(static_cast<Buffer*>(buffer)); }

napi_status refer_to(napi_env env, const FrameView& frame, napi_value& value) {
  make_garbage(env, frame.size);
  buffer_ref(frame.buffer);
  const napi_status status = napi_create_external_buffer(
      env, frame.size, const_cast<char*>(frame.data), release_frame, frame.buffer, &value);
  // The generic failure is that the frame is too large for a Buffer: then it has been released.
  if (status != napi_ok && status != napi_generic_failure) buffer_unref(frame.buffer);
  return status;
}

/// A Buffer of its own for a frame.
napi_status make_buffer(napi_env env, const FrameView& frame, napi_value& value) {
  if (frame.buffer && frame.size >= kByReferenceFrom) {
    const napi_status status = refer_to(env, frame, value);
    // Engines whose heap is a cage (Electron) allow no memory from elsewhere.
    if (status != napi_no_external_buffers_allowed) return status;
  }
  return napi_create_buffer_copy(env, frame.size, frame.data, nullptr, &value);
}

/// What one call of receive() fills.
class Receiver {
 public:
  /// False with an exception pending.
  bool read(napi_env env, Args args) {
    env_ = env;
    large_ = args[5];
    int64_t offset = 0;
    int64_t max = 0;
    if (!read_array(env, args[1], "slab", slab_) ||
        !read_integer(env, args[2], "offset", 0, static_cast<int64_t>(slab_.length), offset) ||
        !read_array(env, args[3], "descriptors", descriptors_) ||
        !read_integer(env, args[4], "maxMessages", 0, UINT32_MAX, max)) {
      return false;
    }
    if (descriptors_.length < kDescriptor) {
      throw_range_error(env, "descriptors must have room for a part");
      return false;
    }
    at_ = static_cast<std::size_t>(offset);
    fresh_ = at_ == 0;
    max_ = static_cast<uint32_t>(max);
    return true;
  }

  bool full() const { return messages_ == max_; }
  uint32_t messages() const { return messages_; }
  std::size_t bytes() const { return bytes_; }

  enum class Put { done, no_room, failed };

  Put put(const std::vector<FrameView>& frames) {
    if (frames.size() > descriptors_.length / kDescriptor) return put_alone(frames);
    if (frames.size() > (descriptors_.length - used_) / kDescriptor) return Put::no_room;
    if (!fits(frames) && !(fresh_ && messages_ == 0)) return Put::no_room;
    for (const FrameView& frame : frames) {
      bytes_ += frame.size;
      const bool more = &frame != &frames.back();
      if (!(goes_to_slab(frame) ? put_slab(frame, more) : put_large(frame, more))) {
        return Put::failed;
      }
    }
    ++messages_;
    return Put::done;
  }

 private:
  /// Copied, as long as there is room; parts that not even an empty slab can hold are not.
  bool is_small(const FrameView& frame) const {
    return frame.size < kByReferenceFrom && frame.size <= slab_.length;
  }

  bool fits(const std::vector<FrameView>& frames) const {
    std::size_t room = slab_.length - at_;
    for (const FrameView& frame : frames) {
      if (!is_small(frame)) continue;
      if (frame.size > room) return false;
      room -= frame.size;
    }
    return true;
  }

  bool goes_to_slab(const FrameView& frame) const {
    return is_small(frame) && frame.size <= slab_.length - at_;
  }

  void describe(std::size_t first, std::size_t size, uint32_t flags) {
    uint32_t* to = descriptors_.data + used_;
    to[0] = static_cast<uint32_t>(first);
    to[1] = static_cast<uint32_t>(size);
    to[2] = flags;
    used_ += kDescriptor;
  }

  bool put_slab(const FrameView& frame, bool more) {
    if (frame.size > 0) std::memcpy(slab_.data + at_, frame.data, frame.size);
    describe(at_, frame.size, more ? kMore : 0u);
    at_ += frame.size;
    return true;
  }

  bool put_large(const FrameView& frame, bool more) {
    if (!push(frame)) return false;
    describe(large_count_ - 1, frame.size, kByReference | (more ? kMore : 0u));
    return true;
  }

  bool push(const FrameView& frame) {
    const Scope scope(env_);
    napi_value buffer = nullptr;
    if (make_buffer(env_, frame, buffer) != napi_ok ||
        napi_set_element(env_, large_, large_count_, buffer) != napi_ok) {
      return false;
    }
    ++large_count_;
    return true;
  }

  /// A message of more parts than can ever be described.
  Put put_alone(const std::vector<FrameView>& frames) {
    if (messages_ > 0) return Put::no_room;
    for (const FrameView& frame : frames) {
      if (!push(frame)) return Put::failed;
    }
    describe(frames.size(), 0, kAllInLarge);
    ++messages_;
    max_ = messages_;
    return Put::done;
  }

  napi_env env_ = nullptr;
  ArrayView<uint8_t> slab_;
  ArrayView<uint32_t> descriptors_;
  napi_value large_ = nullptr;
  uint32_t large_count_ = 0;
  std::size_t at_ = 0;    // in slab_
  std::size_t used_ = 0;  // of descriptors_
  bool fresh_ = false;    // the slab was empty
  uint32_t max_ = 0;
  uint32_t messages_ = 0;
  std::size_t bytes_ = 0;
};

/// The next message becomes `inbound`, unless that waits there already.
Errc take(SocketEntry& entry) {
  if (entry.has_inbound) return Errc::ok;
  const Errc error = entry.socket.try_receive(entry.inbound);
  entry.has_inbound = error == Errc::ok;
  return error;
}

}  // namespace

napi_value receive(Environment& env, Args args) {
  SocketEntry* entry = env.socket(args[0]);
  if (!entry) return nullptr;
  // Often there is nothing, which costs least without a look at the other arguments.
  const Errc first = take(*entry);
  if (first == Errc::again) return to_js(env.env(), 0u);
  if (first != Errc::ok) return throw_error(env.env(), first);
  Receiver receiver;
  if (!receiver.read(env.env(), args)) return nullptr;
  // After messages a failure waits for the next call, which meets it again.
  while (!receiver.full() && take(*entry) == Errc::ok) {
    const Receiver::Put put = receiver.put(entry->inbound.frames);
    if (put == Receiver::Put::no_room) {
      if (receiver.messages() == 0) return to_js(env.env(), int32_t{-1});
      break;
    }
    if (put == Receiver::Put::failed) {
      napi_value exception = nullptr;
      bool thrown = false;
      napi_is_exception_pending(env.env(), &thrown);
      if (receiver.messages() > 0) {
        if (thrown) napi_get_and_clear_last_exception(env.env(), &exception);
        break;
      }
      if (!thrown) {
        return throw_error(env.env(), Errc::no_memory, "Out of memory for a received part");
      }
      entry->has_inbound = false;  // it will never fit
      return nullptr;
    }
    entry->has_inbound = false;
  }
  if (receiver.messages() > 0) env.received(receiver.messages(), receiver.bytes());
  return to_js(env.env(), receiver.messages());
}

}  // namespace zerowire::addon
