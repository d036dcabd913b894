// Metadata: the properties peers announce in READY (RFC 23).
#pragma once

#include <string>
#include <string_view>

#include "zerowire/options.hpp"

namespace zerowire {

/// What a peer says of itself.
struct PeerProperties {
  std::string socket_type;
  std::string routing_id;
};

void append_property(std::string& out, std::string_view name, std::string_view value);
/// False when malformed, more than 64 properties, or a routing id of more than 255 bytes. Unknown
/// properties are ignored; of repeated ones the first counts.
bool parse_metadata(std::string_view text, PeerProperties& peer);

/// Name on the wire ("PUSH").
std::string_view socket_type_name(SocketType type);
/// True when a peer of this name may talk to a socket of this type.
bool compatible(SocketType type, std::string_view peer);

}  // namespace zerowire
