/* Dense algebra on oneDNN's sgemm, the one call that its versions 2 and 3 share. */
#include "adass/dense.h"

#include <dnnl.h>
#include <omp.h>
#include <stdio.h>
#include <sys/mman.h>

void adass_dense_single_thread(void)
{
    omp_set_num_threads(1); /* of this task only: the setting belongs to the implicit task */
}

/*
 * c[m x n] = op(a) * op(b) + beta * c; sizes of zero are allowed, oneDNN is not asked about them.
 */
static adass_status gemm(char trans_a, char trans_b, size_t m, size_t n, size_t k, const float *a,
                         size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc,
                         adass_error *err)
{
    if (m == 0 || n == 0)
        return ADASS_OK;
    if (k == 0) {
        for (size_t i = 0; beta == 0.0f && i < m; i++)
            for (size_t j = 0; j < n; j++)
                c[i * ldc + j] = 0.0f;
        return ADASS_OK;
    }
    const dnnl_status_t status =
        dnnl_sgemm(trans_a, trans_b, (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, 1.0f, a,
                   (dnnl_dim_t)lda, b, (dnnl_dim_t)ldb, beta, c, (dnnl_dim_t)ldc);
    if (status == dnnl_success)
        return ADASS_OK;
    return adass_fail(err, status == dnnl_out_of_memory ? ADASS_ENOMEM : ADASS_EUNSUPPORTED,
                      "oneDNN's sgemm (%zu x %zu x %zu) failed with status %d", m, n, k,
                      (int)status);
}

adass_status adass_dense_forward(const adass_kernels *kernels, float *y, size_t y_ld,
                                 const float *x, size_t x_ld, const float *w, const float *bias,
                                 size_t n, size_t inputs, size_t outputs, bool relu,
                                 adass_error *err)
{
    const adass_status status =
        gemm('N', 'N', n, outputs, inputs, x, x_ld, w, outputs, 0.0f, y, y_ld, err);
    if (status == ADASS_OK)
        kernels->bias_relu(y, y_ld, bias, n, outputs, relu);
    return status;
}

adass_status adass_dense_backward_input(float *dx, size_t dx_ld, const float *dy, size_t dy_ld,
                                        const float *w, size_t n, size_t inputs, size_t outputs,
                                        bool accumulate, adass_error *err)
{
    return gemm('N', 'T', n, inputs, outputs, dy, dy_ld, w, outputs, accumulate ? 1.0f : 0.0f, dx,
                dx_ld, err);
}

adass_status adass_dense_backward_weights(float *dw, const float *x, size_t x_ld, const float *dy,
                                          size_t dy_ld, size_t n, size_t inputs, size_t outputs,
                                          adass_error *err)
{
    return gemm('T', 'N', inputs, outputs, n, x, x_ld, dy, dy_ld, 0.0f, dw, outputs, err);
}

bool adass_dense_bf16_native(void)
{
#if defined(__x86_64__)
    const int bf16 = dnnl_cpu_isa_avx512_core_bf16; /* a set of bits, as every ISA of oneDNN's is */
    return ((int)dnnl_get_effective_cpu_isa() & bf16) == bf16;
#else
    return false;
#endif
}

const char *adass_dense_isa(void)
{
    switch ((int)dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41:
        return "sse41";
    case dnnl_cpu_isa_avx:
        return "avx";
    case dnnl_cpu_isa_avx2:
        return "avx2";
    case dnnl_cpu_isa_avx512_core:
        return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni:
        return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16:
        return "avx512_core_bf16";
    default:
        return "other";
    }
}

void adass_dense_version(char text[32])
{
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, 32, "%d.%d.%d", version->major, version->minor, version->patch);
}

adass_status adass_dense_check_room(int threads, adass_error *err)
{
    /*
     * 32 MiB and 16 a thread are oneDNN's; and malloc takes 64 MiB of addresses, as long as there are so many, at the
     * first allocation of each thread: those beside the first, and up to two that read and take signals.
     */
    const size_t bytes = ((size_t)32 + 16 * (size_t)threads + 64 * ((size_t)threads + 1)) << 20;
    void *room = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return adass_fail_memory(err, "room for oneDNN's code and buffers", (double)bytes);
    munmap(room, bytes);
    return ADASS_OK;
}
