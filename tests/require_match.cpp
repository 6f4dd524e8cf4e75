// Makes a run that matches no test case fail: doctest itself exits with 0, and a test entry whose
// filter has gone stale would pass for ever.
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

namespace {

struct require_match : doctest::IReporter {
  explicit require_match(const doctest::ContextOptions&) {}

  void test_run_end(const doctest::TestRunStats& run) override {
    if (run.numTestCasesPassingFilters > 0) return;
    std::fputs("no test case matches the filter\n", stderr);
    std::fflush(nullptr);
    std::_Exit(3);
  }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};

DOCTEST_REGISTER_LISTENER("require_match", 1, require_match);

}  // namespace
