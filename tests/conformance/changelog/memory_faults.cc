/// The misbehaviour that the simulation orders from the memory broker.
#include "tests/conformance/changelog/subject.h"

namespace tributary::conformance {

namespace {

using memory::MemoryBroker;
using memory::PublishFault;

struct Scene {
  MemoryBroker broker;
  OriginName origin{"shop"};
  std::unique_ptr<Changelog> changelog = broker.session("eu");
  std::unique_ptr<ChangelogWriter> writer;
  std::unique_ptr<ChangelogReader> reader;

  Scene() {
    must(changelog->declare(origin));
    open();
  }
  void open() {
    writer = must(changelog->open_writer(origin));
    reader = must(changelog->open_reader(origin, std::nullopt));
  }
  std::size_t stored() { return broker.messages(origin).size(); }
};

}  // namespace

TEST_CASE("a link that dies before the message reached the log loses it, unconfirmed") {
  Scene scene;
  scene.broker.fail_publish("eu", PublishFault::kLostBefore);
  must(scene.writer->publish(1, "a"));
  CHECK(scene.writer->confirmed(Millis{0}).error().kind == ErrorKind::kTransient);
  CHECK(scene.stored() == 0);
  scene.open();
  publish_all(*scene.writer, {"a"});
  CHECK(scene.stored() == 1);
}

TEST_CASE("a link that dies after the message reached the log keeps it, unconfirmed") {
  Scene scene;
  scene.broker.fail_publish("eu", PublishFault::kLostAfter);
  must(scene.writer->publish(1, "a"));
  CHECK_FALSE(scene.writer->confirmed(Millis{0}).has_value());
  CHECK(scene.stored() == 1);
}

TEST_CASE("a message refused in the middle of a window fails the window") {
  for (const PublishFault fault : {PublishFault::kReturned, PublishFault::kNacked}) {
    Scene scene;
    must(scene.writer->publish(1, "a"));
    scene.broker.fail_publish("eu", fault);
    must(scene.writer->publish(2, "b"));
    must(scene.writer->publish(3, "c"));
    CHECK_FALSE(scene.writer->confirmed(Millis{0}).has_value());
    CHECK(scene.stored() == 2);
  }
}

TEST_CASE("held confirms come when they are let go") {
  Scene scene;
  scene.broker.hold_confirms("eu", true);
  must(scene.writer->publish(1, "a"));
  CHECK(must(scene.writer->confirmed(Millis{0})) == 0);
  scene.broker.hold_confirms("eu", false);
  CHECK(must(scene.writer->confirmed(Millis{0})) == 1);
}

TEST_CASE("a late confirm comes when it is asked for the next time") {
  Scene scene;
  scene.broker.confirm_late(true);
  must(scene.writer->publish(1, "a"));
  CHECK(must(scene.writer->confirmed(Millis{0})) == 0);
  must(scene.writer->publish(2, "b"));
  CHECK(must(scene.writer->confirmed(Millis{0})) == 1);
  CHECK(must(scene.writer->confirmed(Millis{0})) == 2);
}

TEST_CASE("messages are delivered again on request, and held on request") {
  Scene scene;
  publish_all(*scene.writer, numbered(3));
  read_some(*scene.reader, 3);
  scene.broker.deliver_again("eu", 2);
  CHECK(read_some(*scene.reader, 2) == numbered(2, 2));
  scene.broker.deliver_again("eu", 100);
  CHECK(read_some(*scene.reader, 3) == numbered(3));
  CHECK(silent(*scene.reader));
  publish_all(*scene.writer, numbered(1, 4), 4);
  scene.broker.hold_deliveries("eu", true);
  CHECK(silent(*scene.reader));
  scene.broker.hold_deliveries("eu", false);
  CHECK(read_some(*scene.reader, 1) == numbered(1, 4));
}

TEST_CASE("a cut link fails every call of that client until it heals, and nobody else's") {
  Scene scene;
  const auto other = scene.broker.session("us");
  scene.broker.cut("eu");
  CHECK_FALSE(scene.writer->publish(1, "a").has_value());
  CHECK_FALSE(scene.reader->next(Millis{0}).has_value());
  CHECK_FALSE(scene.changelog->last(scene.origin).has_value());
  CHECK_FALSE(scene.changelog->open_writer(scene.origin).has_value());
  must(other->last(scene.origin));
  scene.broker.heal("eu");
  CHECK_FALSE(scene.reader->next(Millis{0}).has_value());  // what was open stays dead
  scene.open();
  publish_all(*scene.writer, {"a"});
  scene.broker.drop("eu");
  CHECK_FALSE(scene.writer->publish(2, "b").has_value());
  scene.open();
  CHECK(read_some(*scene.reader, 1) == std::vector<std::string>{"a"});
}

TEST_CASE("a truncated log goes on behind the hole") {
  Scene scene;
  publish_all(*scene.writer, numbered(10));
  CHECK(read_some(*scene.reader, 2) == numbered(2));
  scene.broker.truncate(scene.origin, 3);
  CHECK(read_some(*scene.reader, 3) == numbered(3, 8));
}

TEST_CASE("a blocked broker takes nothing and says so") {
  Scene scene;
  scene.broker.block(true);
  CHECK(scene.writer->blocked());
  CHECK_FALSE(scene.writer->publish(1, "a").has_value());
  scene.broker.block(false);
  CHECK_FALSE(scene.writer->blocked());
}

}  // namespace tributary::conformance
