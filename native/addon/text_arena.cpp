#include "text_arena.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace zerowire::addon {
namespace {

constexpr std::size_t kFirst = 16 * 1024;
constexpr std::size_t kKeep = 1024 * 1024;
/// Free bytes before a string is written on trial; longer ones are measured first.
constexpr std::size_t kTrial = 1024;
/// A string that leaves fewer bytes free may have been cut before a character that did not fit.
constexpr std::size_t kLongestCharacter = 4;

}  // namespace

bool TextArena::append(napi_env env, napi_value string, Text& text) {
  if (!reserve(kTrial)) return false;
  std::size_t room = capacity_ - used_;
  std::size_t size = 0;
  char* to = memory_.get() + used_;
  if (napi_get_value_string_utf8(env, string, to, room, &size) != napi_ok) return false;
  if (size + 1 + kLongestCharacter > room) {
    if (napi_get_value_string_utf8(env, string, nullptr, 0, &size) != napi_ok) return false;
    if (!reserve(size + 1)) return false;
    room = capacity_ - used_;
    to = memory_.get() + used_;
    if (napi_get_value_string_utf8(env, string, to, room, &size) != napi_ok) return false;
  }
  text = {used_, size};
  used_ += size;
  return true;
}

bool TextArena::reserve(std::size_t free) {
  if (capacity_ - used_ >= free) return true;
  const std::size_t capacity = std::max({kFirst, 2 * capacity_, used_ + free});
  std::unique_ptr<char[]> memory(new (std::nothrow) char[capacity]);
  if (!memory) return false;
  if (used_ > 0) std::memcpy(memory.get(), memory_.get(), used_);
  memory_ = std::move(memory);
  capacity_ = capacity;
  return true;
}

void TextArena::clear() {
  used_ = 0;
  if (capacity_ <= kKeep) return;
  memory_.reset();
  capacity_ = 0;
}

}  // namespace zerowire::addon
