// Links: two ends that tell each other what to do, and who keeps the link alive.
#include "pipe/link.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include "pipe_util.hpp"
#include "thread_mailbox.hpp"

using namespace zerowire;
using test::Counted;
using test::ThreadMailbox;

namespace {

struct Owner final : EndOwner {
  void on_mail(End&, uint32_t todo) override { mail.push_back(todo); }
  std::vector<uint32_t> mail;
};

using Mail = std::vector<uint32_t>;

/// A link that shows by `freed` when it is deleted: unread data in a pipe goes with it.
struct Watched {
  Watched() : counted(10000) {
    link = Link::create({5, 7}, {true, false});
    (void)link->pipes[1].writer.write_reference(0, counted.part());
    link->pipes[1].writer.commit();
    counted.buffer->unref();
  }
  bool gone() const { return counted.freed == 1; }
  Counted counted;
  Link* link;
};

}  // namespace

TEST_CASE("a link's ends see each other and the right pipes") {
  Link* link = Link::create({5, 7}, {true, false});
  REQUIRE(link);
  End& socket = link->ends[0];
  End& connection = link->ends[1];
  CHECK(&socket.other() == &connection);
  CHECK(&connection.other() == &socket);
  CHECK(&socket.link() == link);
  CHECK(&socket.writes() == &link->pipes[0]);
  CHECK(&socket.reads() == &link->pipes[1]);
  CHECK(&connection.writes() == &link->pipes[1]);
  CHECK(&connection.reads() == &link->pipes[0]);
  (void)socket.writes().writer.write(0, "a", 1);
  socket.writes().writer.commit();
  CHECK(socket.writes().writer.publish() == Claim::claimed);
  (void)connection.writes().writer.write(0, "a", 1);
  connection.writes().writer.commit();
  CHECK(connection.writes().writer.publish() == Claim::none);
  link->unref();
  link->unref();
}

TEST_CASE("what an end is told before it has a mailbox reaches it on adoption") {
  Watched watched;
  auto mailbox = std::make_shared<ThreadMailbox>();
  Owner owner;
  End& end = watched.link->ends[0];
  end.notify(kToken);
  end.notify(kAttach);
  CHECK_FALSE(mailbox->pending());
  end.adopt(mailbox, &owner);
  CHECK(mailbox->deliver());
  CHECK(owner.mail == Mail{kToken | kAttach});
  end.notify(kRoom);
  end.notify(kRoom);
  end.notify(kDown);
  CHECK(mailbox->deliver());
  CHECK(owner.mail == Mail{kToken | kAttach, kRoom | kDown});
  watched.link->unref();
  CHECK_FALSE(watched.gone());
  watched.link->unref();
  CHECK(watched.gone());
}

TEST_CASE("adopting an end that was told nothing posts nothing") {
  Watched watched;
  auto mailbox = std::make_shared<ThreadMailbox>();
  Owner owner;
  watched.link->ends[1].adopt(mailbox, &owner);
  CHECK_FALSE(mailbox->pending());
  watched.link->unref();
  watched.link->unref();
  CHECK(watched.gone());
}

TEST_CASE("a link lives while it waits in a mailbox, even after both sides let go") {
  Watched watched;
  auto mailbox = std::make_shared<ThreadMailbox>();
  Owner owner;
  End& end = watched.link->ends[0];
  end.adopt(mailbox, &owner);
  end.notify(kGone);
  end.owner = nullptr;
  watched.link->unref();
  watched.link->unref();
  CHECK_FALSE(watched.gone());
  SUBCASE("until it is delivered, to nobody") {
    CHECK(mailbox->deliver());
    CHECK(owner.mail.empty());
  }
  SUBCASE("until the mailbox is closed") { mailbox->close(); }
  CHECK(watched.gone());
}

TEST_CASE("telling an end whose mailbox is closed does nothing") {
  Watched watched;
  auto mailbox = std::make_shared<ThreadMailbox>();
  Owner owner;
  End& end = watched.link->ends[0];
  end.adopt(mailbox, &owner);
  mailbox->close();
  end.notify(kToken);
  CHECK(owner.mail.empty());
  watched.link->unref();
  watched.link->unref();
  CHECK(watched.gone());
}

TEST_CASE("a peer that the closed socket never took over is told to close") {
  for (const bool early : {false, true}) {
    CAPTURE(early);
    Watched watched;
    auto socket = std::make_shared<ThreadMailbox>();
    auto reactor = std::make_shared<ThreadMailbox>();
    Owner acceptor, connection;
    watched.link->ends[1].adopt(reactor, &connection);
    if (early) socket->close();
    watched.link->ends[0].notify(kToken | kAttach);
    watched.link->ends[0].adopt(socket, &acceptor);
    if (!early) socket->close();
    CHECK(acceptor.mail.empty());
    CHECK(reactor->deliver());
    CHECK(connection.mail == Mail{kClose});
    CHECK_FALSE(watched.gone());
    watched.link->unref();  // the connection's: the socket's went with the attachment
    CHECK(watched.gone());
  }
}

TEST_CASE("two threads tell each other through a link until both let go") {
  for (int round = 0; round < 200; ++round) {
    Watched watched;
    Link* link = watched.link;
    const auto side = [link](int index) {
      End& end = link->ends[index];
      auto mailbox = std::make_shared<ThreadMailbox>();
      Owner owner;
      end.adopt(mailbox, &owner);
      for (int i = 0; i < 20; ++i) {
        end.other().notify(kRoom);
        mailbox->deliver();
      }
      end.other().notify(kGone);
      const auto told = [&owner] {
        return std::any_of(owner.mail.begin(), owner.mail.end(),
                           [](uint32_t bits) { return (bits & kGone) != 0; });
      };
      while (!told() && mailbox->deliver_or_wait()) {
      }
      const bool gone = told();
      end.owner = nullptr;
      mailbox->close();
      link->unref();
      return gone;
    };
    bool other = false;
    std::thread thread([&] { other = side(1); });
    const bool mine = side(0);
    thread.join();
    REQUIRE(mine);
    REQUIRE(other);
    REQUIRE(watched.gone());
  }
}
