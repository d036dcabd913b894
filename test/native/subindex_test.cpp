// Prefix matching, compared with a plain model of what it should do.
#include "pattern/subindex.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <string>

using namespace zerowire;
using Removed = SubIndex::Removed;

namespace {

/// The index only compares pointers.
Peer* peer(uintptr_t number) { return reinterpret_cast<Peer*>(number + 1); }

std::multiset<Peer*> matches(const SubIndex& index, std::string_view topic) {
  std::multiset<Peer*> found;
  index.match(topic, [&](Peer* who) { found.insert(who); });
  return found;
}

std::set<std::string> remove_all(SubIndex& index, Peer* who) {
  std::set<std::string> gone;
  index.remove_peer(who, [&](std::string_view prefix) { CHECK(gone.emplace(prefix).second); });
  return gone;
}

using Model = std::map<std::string, std::set<Peer*>>;

std::multiset<Peer*> model_matches(const Model& model, const std::string& topic) {
  std::multiset<Peer*> found;
  for (const auto& [prefix, peers] : model) {
    if (topic.starts_with(prefix)) found.insert(peers.begin(), peers.end());
  }
  return found;
}

std::string random_text(std::mt19937& random, size_t max, char letters) {
  std::string text(random() % (max + 1), 'a');
  for (char& c : text) c = static_cast<char>('a' + random() % static_cast<unsigned>(letters));
  return text;
}

void step(SubIndex& index, Model& model, std::mt19937& random) {
  const std::string prefix = random_text(random, 20, 2);
  Peer* who = peer(random() % 8);
  const unsigned action = random() % 40;
  if (action == 0) {
    std::set<std::string> expected;
    for (auto item = model.begin(); item != model.end();) {
      if (item->second.erase(who) && item->second.empty()) {
        expected.insert(item->first);
        item = model.erase(item);
      } else {
        ++item;
      }
    }
    CHECK(remove_all(index, who) == expected);
  } else if (action < 25) {
    const bool fresh = !model.contains(prefix);
    model[prefix].insert(who);
    CHECK(index.add(prefix, who) == fresh);
  } else {
    Removed expected = Removed::absent;
    const auto item = model.find(prefix);
    if (item != model.end() && item->second.erase(who)) {
      expected = item->second.empty() ? Removed::last : Removed::others_left;
      if (item->second.empty()) model.erase(item);
    }
    CHECK(index.remove(prefix, who) == expected);
  }
}

}  // namespace

TEST_CASE("a topic goes to those who subscribed to one of its prefixes") {
  SubIndex index;
  CHECK(matches(index, "weather").empty());
  CHECK(index.add("weather", peer(1)));
  CHECK(index.add("weather.berlin", peer(2)));
  CHECK(index.add("w", peer(3)));
  CHECK(matches(index, "weather") == std::multiset<Peer*>{peer(1), peer(3)});
  CHECK(matches(index, "weather.berlin.now") == std::multiset<Peer*>{peer(1), peer(2), peer(3)});
  CHECK(matches(index, "weathe") == std::multiset<Peer*>{peer(3)});
  CHECK(matches(index, "Weather").empty());
  CHECK(matches(index, "").empty());
  CHECK(index.prefixes() == 3);
}

TEST_CASE("the empty prefix takes everything, also the empty topic") {
  SubIndex index;
  CHECK(index.add("", peer(1)));
  CHECK(!index.add("", peer(2)));
  CHECK(matches(index, "") == std::multiset<Peer*>{peer(1), peer(2)});
  CHECK(matches(index, "x") == std::multiset<Peer*>{peer(1), peer(2)});
  CHECK(index.remove("", peer(1)) == Removed::others_left);
  CHECK(index.remove("", peer(2)) == Removed::last);
  CHECK(matches(index, "x").empty());
  CHECK(index.prefixes() == 0);
}

TEST_CASE("a subscriber counts once per prefix, however often it subscribes") {
  SubIndex index;
  CHECK(index.add("a", peer(1)));
  CHECK(!index.add("a", peer(1)));
  CHECK(matches(index, "abc").size() == 1);
  CHECK(index.remove("a", peer(2)) == Removed::absent);
  CHECK(index.remove("b", peer(1)) == Removed::absent);
  CHECK(index.remove("a", peer(1)) == Removed::last);
  CHECK(index.remove("a", peer(1)) == Removed::absent);
  CHECK(index.add("a", peer(1)));
}

TEST_CASE("prefixes are bytes: zeros count, and so does the length") {
  SubIndex index;
  const std::string zeros[] = {std::string(1, '\0'), std::string(2, '\0'), std::string(9, '\0')};
  for (const std::string& prefix : zeros) CHECK(index.add(prefix, peer(prefix.size())));
  CHECK(matches(index, zeros[0]).size() == 1);
  CHECK(matches(index, zeros[1]).size() == 2);
  CHECK(matches(index, zeros[2]).size() == 3);
  CHECK(matches(index, "\xff\xfe").empty());
}

TEST_CASE("a peer that goes takes along what nobody else wants") {
  SubIndex index;
  for (const char* prefix : {"", "a", "ab", "abcdefghijklm"}) index.add(prefix, peer(1));
  index.add("a", peer(2));
  index.add("z", peer(2));
  CHECK(remove_all(index, peer(1)) == std::set<std::string>{"", "ab", "abcdefghijklm"});
  CHECK(remove_all(index, peer(1)).empty());
  CHECK(matches(index, "abcdefghijklmn") == std::multiset<Peer*>{peer(2)});
  CHECK(index.prefixes() == 2);
}

TEST_CASE("random subscriptions match as the model does") {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    std::mt19937 random(seed);
    SubIndex index;
    Model model;
    for (int round = 0; round < 4000; ++round) {
      step(index, model, random);
      const std::string topic = random_text(random, 30, 2);
      REQUIRE(matches(index, topic) == model_matches(model, topic));
      REQUIRE(index.prefixes() == model.size());
    }
  }
}

TEST_CASE("very long prefixes") {
  SubIndex index;
  std::string prefix(16 << 20, 'p');
  CHECK(index.add(prefix, peer(1)));
  CHECK(matches(index, prefix).size() == 1);
  CHECK(matches(index, prefix + "x").size() == 1);
  CHECK(matches(index, std::string_view(prefix).substr(1)).empty());
  prefix.back() = 'q';
  CHECK(matches(index, prefix).empty());
  CHECK(remove_all(index, peer(1)).size() == 1);
}

TEST_CASE("a hundred thousand subscriptions of a thousand peers come and go") {
  SubIndex index;
  for (uintptr_t who = 0; who < 1000; ++who) {
    for (int topic = 0; topic < 100; ++topic) {
      index.add("peer" + std::to_string(who) + "/topic" + std::to_string(topic) + "/", peer(who));
    }
    index.add("all/", peer(who));
  }
  CHECK(index.prefixes() == 100001);
  CHECK(matches(index, "peer77/topic42/x") == std::multiset<Peer*>{peer(77)});
  CHECK(matches(index, "all/x").size() == 1000);
  for (uintptr_t who = 0; who < 999; ++who) CHECK(remove_all(index, peer(who)).size() == 100);
  CHECK(matches(index, "all/x") == std::multiset<Peer*>{peer(999)});
  CHECK(remove_all(index, peer(999)).size() == 101);
  CHECK(index.prefixes() == 0);
}

TEST_CASE("one peer may give up many prefixes one by one") {
  SubIndex index;
  const auto prefix = [](int number) { return "n" + std::to_string(number); };
  for (int number = 0; number < 100000; ++number) index.add(prefix(number), peer(1));
  for (int number = 0; number < 100000; ++number) {
    REQUIRE(index.remove(prefix(number), peer(1)) == Removed::last);
  }
  CHECK(matches(index, "n5").empty());
}
