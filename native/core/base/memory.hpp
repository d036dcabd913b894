// Memory of buffers. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace zerowire {

/// Null when out of memory. Large pieces that are freed are used again for a second: systems give
/// large memory page by page, which takes as long as what is copied there, or longer.
void* allocate(std::size_t size);
/// `size` as it was asked for.
void release(void* memory, std::size_t size);
/// As realloc() does: null (and `memory` is as it was) when out of memory.
void* reallocate(void* memory, std::size_t size, std::size_t wanted);

/// When drop_unused() is due (as now_ns()), or kNever; for those who wait.
int64_t unused_until();
/// Gives back to the system what has not been used for a second.
void drop_unused(int64_t now);

}  // namespace zerowire
