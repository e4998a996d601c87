// Huge pages for the memory of a simulation of thousands of nodes, nearly each access of which
// would miss the processor's table of small ones.
#pragma once

namespace tributary::demo {

// From its making on malloc has one heap for all threads, that grows by large steps: the heaps of
// single threads grow page by page, which no huge page fits. Make it before those threads. Where
// the system has no huge pages, small ones are used as ever.
class HugePages {
 public:
  HugePages();
  // Asks for huge pages for what the heap has grown by. To be called often, by one thread.
  void look();

 private:
  char* asked_;  // up to there
};

}  // namespace tributary::demo
