#include "pipe/lane.hpp"

#include "base/copy.hpp"
#include "zmtp/wire.hpp"

namespace zerowire {
namespace {

constexpr std::size_t kBuffer = 64 * 1024;
/// Of larger messages the copies weigh more than what sharing saves in bookkeeping; their large
/// parts are sent by reference anyway.
constexpr std::size_t kMost = 8 * 1024;

}  // namespace

Lane::Bytes Lane::add(std::span<const Part> parts) {
  std::size_t size = 0;
  for (const Part& part : parts) {
    if (part.size >= kReferenceFrom) return {};
    size += wire::header_size(part.size) + part.size;
    if (size > kMost) return {};
  }
  if (static_cast<std::size_t>(limit_ - at_) < size && !renew()) return {};
  const Bytes bytes{buffer_, at_, size};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    at_ = wire::write_header(at_, i + 1 < parts.size() ? wire::kMore : 0, part.size);
    copy_bytes(at_, part.data, part.size);
    at_ += part.size;
  }
  return bytes;
}

bool Lane::renew() {
  Buffer* buffer = Buffer::create(kBuffer);
  if (!buffer) return false;
  drop();
  buffer_ = buffer;
  at_ = buffer->data();
  limit_ = at_ + kBuffer;
  return true;
}

}  // namespace zerowire
