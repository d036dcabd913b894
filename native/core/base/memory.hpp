// Memory of buffers. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace zerowire {

/// Null when out of memory. Large pieces that are released are used again, as long as such are
/// asked for at least once a second: systems give large memory page by page, which takes as long as
/// what is copied there, or longer. At most 256 MiB are kept.
void* allocate(std::size_t size);
/// `size` as it was asked for.
void release(void* memory, std::size_t size);
/// As realloc() does: null (and `memory` is as it was) when out of memory.
void* reallocate(void* memory, std::size_t size, std::size_t wanted);

/// When drop_unused() is due (as now_ns()), or kNever. Reactors see to it, since they wait.
int64_t unused_until();
/// If nothing large has been asked for lately, frees some of what is kept; while it is still due,
/// there is more. kNever: frees all.
void drop_unused(int64_t now);

}  // namespace zerowire
