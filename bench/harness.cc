// The C face of Google Benchmark, and the only C++ of the project. harness.h says what functions do.
#include "harness.h"

#include "pin.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace
{

using clock_type = std::chrono::steady_clock;

// Of the program as a whole, because Google Benchmark's registry is: written by --adass_pin and by
// rows that fail.
struct {
    adass_pin_mode pin = ADASS_PIN_NONE;
    adass_topology *topology = nullptr; // while something is pinned
    int most_threads = 1;               // of any case
    bool small = false;
    int failures = 0;
    std::vector<std::pair<std::string, adass_bench_case>> cases{};
} program;

constexpr char pin_flag[] = "--adass_pin=";
const std::map<std::string, adass_pin_mode> pin_modes{ { "core", ADASS_PIN_CORE },
                                                       { "numa", ADASS_PIN_NUMA },
                                                       { "none", ADASS_PIN_NONE } };

constexpr char set_flag[] = "--adass_set=";
// Of the small set, unless a flag says otherwise.
constexpr char small_min_time[] = "--benchmark_min_time=0.02";

} // namespace

struct adass_bench_state {
    benchmark::State &google;
    clock_type::time_point begin{};
    double seconds = 0.0;
    bool manual_time = false;
    bool started = false;
    std::map<std::string, double> rates{}; // amount of one iteration
};

namespace
{

void run_case(benchmark::State &google, const adass_bench_case &bench_case)
{
    adass_bench_state state{ google };
    state.manual_time = bench_case.manual_time;
    adass_error err;
    if (adass_pin_threads(program.topology, program.pin, bench_case.threads, nullptr, &err) !=
        ADASS_OK) {
        adass_bench_skip(&state, "%s", err.message);
        return;
    }
    bench_case.run(&state, bench_case.user);
    if (state.seconds <= 0.0) // skipped
        return;
    const double per_amount = static_cast<double>(google.iterations()) / state.seconds;
    for (const auto &rate : state.rates)
        google.counters[rate.first] = rate.second * per_amount;
}

void print_help()
{
    std::printf(
        "adass-bench measures the kernels, the training step and the limits of this machine.\n\n"
        "  adass-bench --benchmark_filter='^lookup/isa:avx2/.*rows:1e6'\n\n"
        "adass-bench [--adass_pin=core|numa|none]   threads one a core; also their memory on "
        "their nodes; or where the system puts them (none)\n"
        "            [--adass_set=small|full]  a case or two of each family, or all (full)\n\n"
        "and the flags of Google Benchmark:\n");
    benchmark::PrintDefaultHelp();
}

// Takes --adass_pin out of the arguments. False for a value that does not exist.
bool parse_pin(int *argc, char **argv)
{
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        if (std::strncmp(argv[i], pin_flag, sizeof pin_flag - 1) != 0) {
            argv[kept++] = argv[i];
            continue;
        }
        const std::string value = argv[i] + sizeof pin_flag - 1;
        const auto mode = pin_modes.find(value);
        if (mode == pin_modes.end()) {
            std::fprintf(stderr, "adass-bench: --adass_pin is core, numa or none, not '%s'\n",
                         value.c_str());
            return false;
        }
        program.pin = mode->second;
    }
    *argc = kept;
    argv[kept] = nullptr;
    return true;
}

// Takes --adass_set out of the arguments. False for a value that does not exist.
bool parse_set(int *argc, char **argv)
{
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        if (std::strncmp(argv[i], set_flag, sizeof set_flag - 1) != 0) {
            argv[kept++] = argv[i];
            continue;
        }
        const std::string value = argv[i] + sizeof set_flag - 1;
        if (value != "small" && value != "full") {
            std::fprintf(stderr, "adass-bench: --adass_set is small or full, not '%s'\n",
                         value.c_str());
            return false;
        }
        program.small = value == "small";
    }
    *argc = kept;
    argv[kept] = nullptr;
    return true;
}

void register_set()
{
    for (const auto &[name, bench_case] : program.cases) {
        if (program.small && !bench_case.small)
            continue;
        const adass_bench_case copy = bench_case;
        auto *registered = benchmark::RegisterBenchmark(
            name.c_str(), [copy](benchmark::State &google) { run_case(google, copy); });
        if (copy.manual_time)
            registered->UseManualTime();
    }
}

// Pins as many threads as any case has, and says in the context what the system then reports: a
// case of fewer threads has the first of these.
bool pin(adass_error *err)
{
    for (const auto &mode : pin_modes)
        if (mode.second == program.pin)
            adass_bench_add_context("pin", mode.first.c_str());
    if (program.pin == ADASS_PIN_NONE)
        return true;
    std::vector<adass_binding> got(static_cast<size_t>(program.most_threads));
    if (adass_topology_open(&program.topology, nullptr, err) != ADASS_OK ||
        adass_pin_threads(program.topology, program.pin, program.most_threads, got.data(), err) !=
            ADASS_OK)
        return false;
    std::string pus, memory;
    for (const auto &thread : got) {
        pus += (pus.empty() ? "" : " ") + std::string(thread.pus);
        memory += (memory.empty() ? "" : " ") + std::string(thread.memory);
    }
    adass_bench_add_context("pin_processing_units", pus.c_str());
    adass_bench_add_context("pin_memory", memory.c_str());
    return true;
}

} // namespace

void adass_bench_register(const adass_bench_case *bench_case)
{
    program.most_threads = std::max(program.most_threads, bench_case->threads);
    program.cases.emplace_back(bench_case->name, *bench_case);
}

bool adass_bench_next(adass_bench_state *state)
{
    if (!state->started) {
        state->started = true;
        state->begin = clock_type::now();
    }
    if (state->google.KeepRunning())
        return true;
    if (!state->manual_time)
        state->seconds = std::chrono::duration<double>(clock_type::now() - state->begin).count();
    return false;
}

void adass_bench_set_iteration_seconds(adass_bench_state *state, double seconds)
{
    state->google.SetIterationTime(seconds);
    state->seconds += seconds;
}

void adass_bench_set_rate(adass_bench_state *state, const char *name, double amount)
{
    state->rates[name] = amount;
}

void adass_bench_set_items(adass_bench_state *state, double items)
{
    adass_bench_set_rate(state, "items_per_second", items);
}

void adass_bench_set_bytes(adass_bench_state *state, double bytes)
{
    adass_bench_set_rate(state, "bytes_per_second", bytes);
}

void adass_bench_set_counter(adass_bench_state *state, const char *name, double value)
{
    state->google.counters[name] = value;
}

void adass_bench_set_label(adass_bench_state *state, const char *label)
{
    state->google.SetLabel(label);
}

void adass_bench_skip(adass_bench_state *state, const char *format, ...)
{
    char reason[ADASS_ERROR_CHARS];
    va_list args;
    va_start(args, format);
    std::vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    state->google.SkipWithError(reason);
    program.failures++;
}

void adass_bench_add_context(const char *key, const char *value)
{
    benchmark::AddCustomContext(key, value);
}

int adass_bench_main(int argc, char **argv)
{
    if (!parse_pin(&argc, argv) || !parse_set(&argc, argv))
        return 2;
    std::vector<char *> args(argv, argv + argc);
    if (program.small) // before the others, which may say otherwise
        args.insert(args.begin() + 1, const_cast<char *>(small_min_time));
    int count = static_cast<int>(args.size());
    args.push_back(nullptr);
    benchmark::Initialize(&count, args.data(), print_help);
    if (benchmark::ReportUnrecognizedArguments(count, args.data()))
        return 2;
    adass_bench_add_context("set", program.small ? "small" : "full");
    register_set();
    adass_error err;
    if (!pin(&err)) {
        std::fprintf(stderr, "adass-bench: --adass_pin: %s\n", err.message);
        adass_topology_close(program.topology);
        return 2;
    }
    const size_t matched = benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    adass_topology_close(program.topology);
    return matched == 0 || program.failures > 0 ? 1 : 0;
}
