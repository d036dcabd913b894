// Endpoints: any text is taken apart or refused with an error that names it.
#include <string>

#include "input.hpp"
#include "net/endpoint.hpp"

using namespace zerowire;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<Endpoint> parsed = parse_endpoint(text);
  if (!parsed) {
    const Errc code = parsed.error().code;
    require(code == Errc::invalid || code == Errc::protocol_not_supported ||
            code == Errc::name_too_long);
    require(!parsed.error().what.empty());
    return 0;
  }
  const Endpoint& endpoint = parsed.value();
  require(endpoint.text == text && !endpoint.host.empty());
  require(endpoint.host.size() + endpoint.source_host.size() < size);
  const Result<Endpoint> again = parse_endpoint(endpoint.text);
  require(again && again.value().host == endpoint.host && again.value().port == endpoint.port);
  const Result<void> connectable = check_connectable(endpoint);
  require(connectable || connectable.error().code == Errc::invalid);
  return 0;
}
