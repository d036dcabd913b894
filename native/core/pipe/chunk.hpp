// Chunk: a link of a pipe's chain of bytes.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/buffer.hpp"

namespace zerowire {

/// Written by the pipe's producer, read by its consumer, freed by the consumer once it has moved
/// on. `next` and `end` are set before any byte behind them is published, so whoever sees
/// published bytes behind a chunk's end sees both.
struct Chunk {
  static constexpr std::size_t kOpen = SIZE_MAX;

  Chunk* next = nullptr;
  /// Bytes used; kOpen while the producer still appends here. Atomic (relaxed) because the
  /// consumer may look while the producer seals the chunk for bytes that are not published yet:
  /// either value then gives the consumer the same run of published bytes.
  std::atomic<std::size_t> end{kOpen};
  char* data;
  std::size_t capacity;
  Buffer* buffer;  ///< one reference held
  /// Never appended to: it holds one large body, and the chunk behind it is linked before its
  /// bytes are published, so the consumer may leave (and free) it as soon as it has read it.
  bool full = false;
  /// A piece of a Lane: its producer alone says how much of it belongs to this pipe.
  bool shared = false;

  Chunk(Buffer* in, char* at, std::size_t size) : data(at), capacity(size), buffer(in) {}

  static void destroy(Chunk* chunk) {
    chunk->buffer->unref();
    delete chunk;
  }
};

}  // namespace zerowire
