// Embedding lookups of FBGEMM's JIT kernels and of ours, in turn on the same tables and ids; see compare_fbgemm.sh.
#include <fbgemm/FbgemmEmbedding.h>
#include <fbgemm/Utils.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "adass/kernels.h"
#include "adass/memory.h"
#include "adass/rng.h"

namespace
{

using Kernel = fbgemm::EmbeddingSpMDMKernelSignature<float, std::int32_t>::Type;
using Work = std::function<void(std::size_t)>; // the argument walks through the pool of ids

constexpr std::size_t kPool = std::size_t{ 1 } << 22; // ids: more than the caches remember
constexpr int kRounds = 9;

// One thread is timed by its CPU time, which leaves out what neighbours had of its core.
double now(int threads)
{
    timespec at;
    clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &at);
    return static_cast<double>(at.tv_sec) + 1e-9 * static_cast<double>(at.tv_nsec);
}

double seconds(const Work &work, std::size_t calls, std::size_t first, int threads)
{
    const double start = now(threads);
    for (std::size_t i = 0; i < calls; i++)
        work(first + i);
    return now(threads) - start;
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

double total_log = 0.0, worst = 1e9;
int cases = 0;

// Both in turn on the same ids, ABBA: who comes second finds what the caches kept of the first one's rows, and
// so each comes second once a round. Prints nanoseconds a unit of work and the median of the rounds' ratios; with
// `bare`, a loop that only touches the rows' lines, on the ids that follow, also the share of it that each reaches.
void compare(const std::string &name, const Work &ours, const Work &theirs, const Work &bare,
             double units, int threads)
{
    std::size_t calls = 1;
    while (seconds(theirs, calls, 0, threads) < 0.01)
        calls *= 2;
    std::vector<double> a, b, c, ratio;
    for (int round = 0; round < kRounds; round++) {
        const std::size_t first = static_cast<std::size_t>(3 * round) * calls;
        double our = seconds(ours, calls, first, threads);
        double their = seconds(theirs, calls, first, threads);
        their += seconds(theirs, calls, first + calls, threads);
        our += seconds(ours, calls, first + calls, threads);
        a.push_back(our / 2.0);
        b.push_back(their / 2.0);
        c.push_back(bare ? seconds(bare, calls, first + 2 * calls, threads) : 0.0);
        ratio.push_back(their / our);
    }
    const double scale = 1e9 / (static_cast<double>(calls) * units), times = median(ratio);
    std::printf("| %s | %.2f | %.2f | %.2f |", name.c_str(), median(a) * scale, median(b) * scale,
                times);
    if (bare)
        std::printf(" %.2f | %.2f | %.2f |\n", median(c) * scale, median(c) / median(a),
                    median(c) / median(b));
    else
        std::printf(" | | |\n");
    std::fflush(stdout);
    total_log += std::log(times);
    worst = std::min(worst, times);
    cases++;
}

void summarize(const char *what)
{
    std::printf("| **%s: geometric mean; least** | | | **%.2f; %.2f** | | | |\n", what,
                std::exp(total_log / cases), worst);
    total_log = 0.0;
    worst = 1e9;
    cases = 0;
}

float *new_floats(std::size_t n)
{
    void *memory = adass_alloc(n * sizeof(float));
    if (memory == nullptr)
        std::exit(1);
    auto *values = static_cast<float *>(memory);
    for (std::size_t i = 0; i < n; i++)
        values[i] = static_cast<float>(i % 1000) * 0.001F;
    return values;
}

std::vector<std::int32_t> random_ids(std::size_t n, std::size_t rows, std::uint64_t seed)
{
    adass_rng rng;
    adass_rng_init(&rng, seed);
    std::vector<std::int32_t> ids(n);
    for (auto &id : ids)
        id = static_cast<std::int32_t>(adass_rng_below(&rng, rows));
    return ids;
}

void check(const float *ours, const float *theirs, std::size_t n)
{
    for (std::size_t i = 0; i < n; i++)
        if (std::fabs(ours[i] - theirs[i]) > 1e-4F) {
            std::fprintf(stderr, "results differ at %zu: %g, %g\n", i, ours[i], theirs[i]);
            std::exit(1);
        }
}

// Reads a number of each line of n rows, which are prefetched `ahead` ids before. Bits, since sums of floats would wait for
// one another.
float touch_rows(const float *table, std::size_t size, const std::int32_t *ids, std::size_t n,
                 std::size_t ahead)
{
    constexpr std::size_t kLine = 16;
    std::uint32_t all = 0;
    for (std::size_t i = 0; i < n; i++) {
        const float *row = table + static_cast<std::size_t>(ids[i]) * size;
        const float *later = table + static_cast<std::size_t>(ids[i + ahead]) * size;
        for (std::size_t k = 0; k < size; k += kLine) {
            std::uint32_t bits;
            std::memcpy(&bits, row + k, sizeof bits);
            all ^= bits;
            __builtin_prefetch(later + k);
        }
    }
    return static_cast<float>(all);
}

// The distance at which touching rows takes least.
std::size_t best_ahead(const float *table, std::size_t size, const std::vector<std::int32_t> &ids)
{
    constexpr std::size_t kMost = 64, kIds = kPool / 4;
    std::size_t best = 0;
    double least = 1e9;
    volatile float sink = 0.0F;
    for (const std::size_t ahead :
         { std::size_t{ 0 }, std::size_t{ 16 }, std::size_t{ 32 }, kMost }) {
        const double start = now(1);
        sink = sink + touch_rows(table, size, ids.data(), kIds, ahead);
        const double took = now(1) - start;
        if (took < least) {
            least = took;
            best = ahead;
        }
    }
    return best;
}

// One table: bags of `pooling` ids.
void one_table(const adass_kernels *k, std::size_t rows, std::size_t size, std::size_t pooling,
               int threads)
{
    const std::size_t bags = 8192 / pooling / 2 * 2;
    float *table = new_floats(rows * size), *out = new_floats(bags * size),
          *other = new_floats(bags * size);
    const auto ids = random_ids(kPool + bags * pooling + 64, rows, size + pooling);
    std::vector<std::int32_t> offsets(bags + 1);
    for (std::size_t i = 0; i <= bags; i++)
        offsets[i] = static_cast<std::int32_t>(i * pooling);
    const Kernel kernel = fbgemm::GenerateEmbeddingSpMDM<float, std::int32_t>(
        static_cast<std::int64_t>(size), false, false, 16, false, true);
    const std::size_t share = bags / static_cast<std::size_t>(threads);
    const auto at = [&](std::size_t i) { return ids.data() + i * bags * pooling % kPool; };
    const Work ours = [&](std::size_t i) {
        const auto *batch = reinterpret_cast<const std::uint32_t *>(at(i));
#pragma omp parallel num_threads(threads) if (threads > 1)
        {
            const std::size_t from = static_cast<std::size_t>(omp_get_thread_num()) * share;
            k->lookup(out + from * size, size, ADASS_F32, table, size, batch + from * pooling, 1,
                      share, pooling, size);
        }
    };
    const Work theirs = [&](std::size_t i) {
        const std::int32_t *batch = at(i);
#pragma omp parallel num_threads(threads) if (threads > 1)
        {
            const std::size_t from = static_cast<std::size_t>(omp_get_thread_num()) * share;
            if (!kernel(static_cast<std::int64_t>(share),
                        static_cast<std::int64_t>(share * pooling), static_cast<std::int64_t>(rows),
                        table, batch + from * pooling, offsets.data(), nullptr,
                        other + from * size))
                std::abort();
        }
    };
    const std::size_t ahead = best_ahead(table, size, ids);
    const Work bare = [&](std::size_t i) {
        const std::int32_t *batch = at(i);
#pragma omp parallel num_threads(threads) if (threads > 1)
        {
            const std::size_t from = static_cast<std::size_t>(omp_get_thread_num()) * share;
            other[from * size] =
                touch_rows(table, size, batch + from * pooling, share * pooling, ahead);
        }
    };
    ours(0);
    theirs(0);
    check(out, other, bags * size);
    compare("rows " + std::to_string(rows) + ", size " + std::to_string(size) + ", pooling " +
                std::to_string(pooling) + ", threads " + std::to_string(threads),
            ours, theirs, bare, static_cast<double>(bags * pooling), threads);
    std::free(table);
    std::free(out);
    std::free(other);
}

// 39 fields of mixed sizes into one packed matrix: one call of ours, a call a field of theirs.
void all_fields(const adass_kernels *k, std::size_t batch)
{
    constexpr std::size_t n_fields = 39, rows = 25000;
    static const std::size_t sizes[] = { 2, 4, 8, 16, 32, 64 };
    std::vector<adass_field_view> views(n_fields);
    std::vector<Kernel> kernels;
    std::vector<float *> tables;
    std::size_t width = 0;
    for (std::size_t f = 0; f < n_fields; f++)
        width += sizes[f % 6];
    std::size_t offset = 0;
    for (std::size_t f = 0; f < n_fields; f++) {
        const std::size_t size = sizes[f % 6];
        tables.push_back(new_floats(rows * size));
        views[f] = adass_field_view{};
        views[f].rows = tables[f];
        views[f].stride = views[f].size = size;
        views[f].offset = offset;
        views[f].column = f;
        offset += size;
        kernels.push_back(fbgemm::GenerateEmbeddingSpMDMWithStrides<float, std::int32_t>(
            static_cast<std::int64_t>(size), false, false, 16, false, true,
            static_cast<std::int64_t>(width), static_cast<std::int64_t>(size)));
    }
    const std::size_t samples = kPool / n_fields / batch * batch;
    const auto by_sample = random_ids(samples * n_fields, rows, batch);
    std::vector<std::int32_t> by_field(
        by_sample.size()); // what their calls want: a batch's ids field by field
    for (std::size_t s = 0; s < samples; s++)
        for (std::size_t f = 0; f < n_fields; f++)
            by_field[s / batch * batch * n_fields + f * batch + s % batch] =
                by_sample[s * n_fields + f];
    std::vector<std::int32_t> offsets(batch + 1);
    for (std::size_t i = 0; i <= batch; i++)
        offsets[i] = static_cast<std::int32_t>(i);
    float *out = new_floats(batch * width), *other = new_floats(batch * width);
    const auto at = [&](std::size_t i) { return i % (samples / batch) * batch * n_fields; };
    const Work ours = [&](std::size_t i) {
        k->lookup_fields(out, width, views.data(), n_fields,
                         reinterpret_cast<const std::uint32_t *>(by_sample.data() + at(i)),
                         n_fields, batch);
    };
    const Work theirs = [&](std::size_t i) {
        for (std::size_t f = 0; f < n_fields; f++)
            if (!kernels[f](static_cast<std::int64_t>(batch), static_cast<std::int64_t>(batch),
                            static_cast<std::int64_t>(rows), tables[f],
                            by_field.data() + at(i) + f * batch, offsets.data(), nullptr,
                            other + views[f].offset))
                std::abort();
    };
    ours(0);
    theirs(0);
    check(out, other, batch * width);
    compare("39 fields of sizes 2..64, 25,000 rows each, batch " + std::to_string(batch), ours,
            theirs, nullptr, static_cast<double>(batch * n_fields), 1);
    for (float *table : tables)
        std::free(table);
    std::free(out);
    std::free(other);
}

} // namespace

int main(int argc, char **argv)
{
    const std::string what = argc > 1 ? argv[1] : "all";
    const std::size_t rows = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1000000;
    const adass_kernels *k = nullptr;
    adass_error err;
    if (adass_kernels_get(std::getenv("ADASS_ISA") != nullptr ? nullptr : "best", &k, &err) !=
        ADASS_OK) {
        std::fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    std::printf(
        "| work (kernels: %s) | ours, ns a row | FBGEMM, ns a row | times faster | rows alone, "
        "ns | ours of it | FBGEMM of it |\n|---|---|---|---|---|---|---|\n",
        k->isa);
    for (const int threads : { 1, 2 })
        for (const std::size_t pooling : { 1, 20 }) {
            const std::string name =
                "pooling" + std::to_string(pooling) + "/threads" + std::to_string(threads);
            if (what != "all" && what != name)
                continue;
            for (const std::size_t size : { 4, 8, 16, 32, 64, 128 })
                one_table(k, rows, size, pooling, threads);
            summarize(name.c_str());
        }
    if (what == "all" || what == "fields") {
        for (const std::size_t batch : { 1, 64, 4096 })
            all_fields(k, batch);
        summarize("fields");
    }
    return 0;
}
