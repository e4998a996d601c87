// Nodes and searches of the DHT as processes on loopback.
#include <doctest/doctest.h>

#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/demo/process.h"

using namespace tributary::demo::testing;  // NOLINT
using nlohmann::json;

namespace {

const std::string kHash = "000102030405060708090a0b0c0d0e0f10111213";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A node that stays.
struct DhtNode {
  explicit DhtNode(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"dht", "--listen", "127.0.0.1:0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    process = std::make_unique<Process>(arguments);
    address = process->address();
  }
  std::unique_ptr<Process> process;
  std::string address;
};

}  // namespace

TEST_CASE("what one search announces the next one finds, and shows the way") {
  const DhtNode node;
  const Outcome nobody = run({"dht", kHash, "--bootstrap", node.address});
  CHECK(nobody.code == 1);
  CHECK(holds(nobody.err, "nobody has announced " + kHash));
  const Outcome told = run({"dht", kHash, "--bootstrap", node.address, "--announce", "51413"});
  CHECK(told.code == 0);
  CHECK(holds(told.out, "announced to 1 node"));
  const Outcome found = run({"dht", kHash, "--bootstrap", node.address});
  CHECK(found.code == 0);
  CHECK(holds(found.out, "peer 127.0.0.1:51413\n"));
  CHECK(holds(found.out, node.address));
  CHECK(holds(found.out, "1 peer; 1 of 1 node answered, 1 hop"));
  const Outcome facts = run({"dht", kHash, "--bootstrap", node.address, "--json"});
  const json report = json::parse(facts.out);
  CHECK(report["peers"] == json::array({"127.0.0.1:51413"}));
  CHECK(report["hops"] == 1);
  CHECK(report["complete"] == true);
  REQUIRE(report["steps"].size() == 1);
  CHECK(report["steps"][0]["node"] == node.address);
  CHECK(report["steps"][0]["answered"] == true);
}

TEST_CASE("a table that was kept leads to the nodes of the last time") {
  const DhtNode node;
  const Folder folder;
  const std::string table = folder.path("table");
  run({"dht", kHash, "--bootstrap", node.address, "--table", table});
  const Outcome again = run({"dht", kHash, "--table", table});
  CHECK(again.code == 1);
  CHECK(holds(again.out, node.address));
  folder.add_text("table", "no table");
  const Outcome foreign = run({"dht", kHash, "--table", table});
  CHECK(foreign.code == 2);
  CHECK(holds(foreign.err, table));
  CHECK(folder.read("table") == "no table");
}

TEST_CASE("a node that is stopped says so and keeps its table") {
  const DhtNode first;
  const Folder folder;
  DhtNode second({"--bootstrap", first.address, "--table", folder.path("table"), "-v"});
  CHECK(second.process->read_until("1 node known"));
  second.process->signal(SIGINT);
  CHECK(second.process->finish() == 0);
  CHECK(holds(second.process->output(), "stopped: 1 node known"));
  CHECK(holds(folder.read("table"), "7:versioni1e"));
}

TEST_CASE("a search that cannot begin says in one line how to mend it") {
  const Outcome alone = run({"dht", kHash});
  CHECK(alone.code == 2);
  CHECK(holds(alone.err, "--bootstrap HOST:PORT"));
  CHECK(run({"dht", "abc", "--bootstrap", "127.0.0.1:1"}).code == 2);
  CHECK(run({"dht", std::string(40, 'g'), "--bootstrap", "127.0.0.1:1"}).code == 2);
  CHECK(run({"dht", kHash, "--bootstrap", "127.0.0.1"}).code == 2);
  CHECK(run({"dht", kHash, "--bootstrap", "127.0.0.1:1", "--announce", "0"}).code == 2);
  const Outcome silent = run({"dht", kHash, "--bootstrap", "127.0.0.1:1", "--timeout", "100ms"});
  CHECK(silent.code == 1);
  CHECK(holds(silent.err, "no node answered"));
}
