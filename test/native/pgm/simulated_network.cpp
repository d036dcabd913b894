#include "simulated_network.hpp"

#include <algorithm>

namespace zerowire::test {
namespace {

unsigned type_of(const std::string& bytes) {
  return bytes.size() > 4 ? static_cast<unsigned char>(bytes[4]) & 0x0f : 0x0f;
}

bool is_data(const std::string& bytes) { return type_of(bytes) == 4 || type_of(bytes) == 5; }

}  // namespace

int SimulatedNetwork::add(Node* node) {
  nodes_.push_back(node);
  timers_.push_back(kNever);
  return static_cast<int>(nodes_.size()) - 1;
}

void SimulatedNetwork::all_links(const LinkModel& model) {
  for (Link& link : links_) link.model = model, link.bad = false;
}

void SimulatedNetwork::send(int from, int to, std::string_view bytes) {
  if (to >= 0 && to < static_cast<int>(nodes_.size())) {
    transmit(from, to, std::make_shared<const std::string>(bytes));
  }
}

void SimulatedNetwork::multicast(int from, std::string_view bytes) {
  const auto shared = std::make_shared<const std::string>(bytes);
  for (int to = 0; to < static_cast<int>(nodes_.size()); ++to) {
    if (to != from) transmit(from, to, shared);
  }
}

bool SimulatedNetwork::lost(Link& link, int from, int to, const std::string& bytes) {
  for (const Cut& cut : cuts_) {
    const bool between = (cut.a == from && cut.b == to) || (cut.b == from && cut.a == to);
    if (between && now >= cut.from && now < cut.until) return true;
  }
  const LinkModel& model = link.model;
  if (model.burst_begin > 0 && chance(random, link.bad ? model.burst_end : model.burst_begin)) {
    link.bad = !link.bad;
  }
  return chance(random, model.loss) || chance(random, model.type_loss[type_of(bytes)]) ||
         (link.bad && chance(random, model.burst_loss));
}

void SimulatedNetwork::transmit(int from, int to, const Bytes& bytes) {
  Link& link = links_[index(from, to)];
  const LinkModel& model = link.model;
  ++sent;
  if (lost(link, from, to, *bytes)) {
    lost_data += is_data(*bytes);
    return;
  }
  Bytes carried = bytes;
  if (model.flip > 0 && !bytes->empty() && chance(random, model.flip)) {
    std::string changed = *bytes;
    changed[random.below(changed.size())] ^= static_cast<char>(1 << random.below(8));
    lost_data += is_data(*bytes);
    carried = std::make_shared<const std::string>(std::move(changed));
  }
  const auto under = [&](int64_t most) {
    return static_cast<int64_t>(random.below(static_cast<uint64_t>(most) + 1));
  };
  const int copies = chance(random, model.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    int64_t at = now + model.delay + (model.jitter ? under(model.jitter) : 0);
    if (i == 0 && !chance(random, model.reorder)) {
      at = std::max(at, link.last);
      link.last = at;
    } else {
      at += under(model.reorder_delay);
      ++overtaken;
    }
    events_.push({at, numbers_++, from, to, carried});
  }
}

void SimulatedNetwork::wake(int node) {
  const auto id = static_cast<std::size_t>(node);
  int64_t at = nodes_[id]->deadline();
  if (at == kNever) return;
  at = std::max(at, now);
  if (lateness > 0) at += static_cast<int64_t>(random.below(static_cast<uint64_t>(lateness)));
  if (at >= timers_[id]) return;
  timers_[id] = at;
  events_.push({at, numbers_++, -1, node, nullptr});
}

bool SimulatedNetwork::run(int64_t until, uint64_t most) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) wake(static_cast<int>(i));
  for (; !events_.empty() && events_.top().at <= until; --most) {
    if (most == 0) return false;
    const Event event = events_.top();
    events_.pop();
    now = event.at;
    const auto id = static_cast<std::size_t>(event.to);
    if (event.from >= 0) {
      nodes_[id]->on_datagram(now, event.from, *event.bytes);
    } else if (timers_[id] == event.at) {
      timers_[id] = kNever;
      nodes_[id]->on_time(now);
      bad_deadlines += nodes_[id]->deadline() <= now;
    } else {
      continue;  // an earlier one has replaced it
    }
    wake(event.to);
  }
  now = until;
  return true;
}

}  // namespace zerowire::test
