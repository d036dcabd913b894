#include "outgoing.hpp"

#include "errors.hpp"
#include "napi_util.hpp"

namespace zerowire::addon {

bool Outgoing::add(napi_env env, napi_value value, bool may_refer) {
  Binary binary;
  switch (type_of(env, value)) {
    case napi_string:
      return add_string(env, value);
    case napi_null:
      parts_.emplace_back();
      return true;
    case napi_object:
      break;
    default:
      throw_type_error(env, "A message part must be a buffer, a string or null");
      return false;
  }
  switch (find_binary(env, builtins_, value, binary)) {
    case BinaryStatus::ok:
      return add_binary(env, value, binary, may_refer);
    case BinaryStatus::detached:
      throw_type_error(env, "A message part must not be a detached buffer");
      return false;
    case BinaryStatus::not_binary:
      break;
  }
  throw_type_error(env, "A message part must be a buffer, a string or null");
  return false;
}

bool Outgoing::add_string(napi_env env, napi_value value) {
  TextArena::Text text;
  if (!texts_.append(env, value, text)) {
    throw_error(env, Errc::no_memory, "Out of memory for a string");
    return false;
  }
  text_parts_.emplace_back(parts_.size(), text.offset);
  parts_.push_back({nullptr, text.size, nullptr});
  return true;
}

bool Outgoing::add_binary(napi_env env, napi_value value, const Binary& binary, bool may_refer) {
  parts_.push_back({binary.data, binary.size, nullptr});
  if (!may_refer || binary.size < kByReferenceFrom || !is_stable(env, builtins_, binary)) {
    return true;
  }
  napi_ref ref = nullptr;
  if (napi_create_reference(env, value, 1, &ref) != napi_ok) return true;
  Buffer* buffer = hub_->hold(ref, const_cast<char*>(binary.data), binary.size);
  if (!buffer) {
    napi_delete_reference(env, ref);
    return true;
  }
  parts_.back().buffer = buffer;
  buffers_.push_back(buffer);
  return true;
}

std::span<const Part> Outgoing::parts() {
  for (const auto& [index, offset] : text_parts_) parts_[index].data = texts_.data() + offset;
  return parts_;
}

void Outgoing::clear() {
  parts_.clear();
  if (!text_parts_.empty()) {
    text_parts_.clear();
    texts_.clear();
  }
  for (Buffer* buffer : buffers_) buffer_unref(buffer);
  buffers_.clear();
}

}  // namespace zerowire::addon
