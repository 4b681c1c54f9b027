/*
 * Dense layers of bytes on oneDNN's matmul, whose weights are packed once: 550 instead of 450
 * billion operations a second with gemm_u8s8s32, which packs them at every call (a core of a Cascade
 * Lake, 819 and 400 inputs, 400 outputs, 256 samples). Inputs with room between the rows make
 * oneDNN 2.6 pack them all the same.
 */
#include "adass/dense_bytes.h"

#include "onednn.h"

#include <stdlib.h>

struct adass_bytes_layer {
    dnnl_engine_t engine;
    dnnl_primitive_desc_t about;
    dnnl_primitive_t product;
    dnnl_memory_t w; /* in oneDNN's layout */
};

bool adass_bytes_fast(void)
{
#if defined(__x86_64__)
    switch ((int)dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41:
    case dnnl_cpu_isa_avx:
    case dnnl_cpu_isa_avx2:
    case dnnl_cpu_isa_avx512_core:
        return false;
    default: /* VNNI, and what came after it */
        return true;
    }
#else
    return false;
#endif
}

static adass_status check(dnnl_status_t status, const char *what, adass_error *err)
{
    if (status == dnnl_success)
        return ADASS_OK;
    return adass_fail(err, status == dnnl_out_of_memory ? ADASS_ENOMEM : ADASS_EUNSUPPORTED,
                      "oneDNN's product of bytes: %s failed with status %d", what, (int)status);
}

/* One primitive on memories, to its end. */
static dnnl_status_t execute(dnnl_primitive_t primitive, dnnl_engine_t engine, int n,
                             const dnnl_exec_arg_t *arguments)
{
    dnnl_stream_t stream;
    dnnl_status_t status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_execute(primitive, stream, n, arguments);
    if (status == dnnl_success)
        status = dnnl_stream_wait(stream);
    dnnl_stream_destroy(stream);
    return status;
}

/* The layouts of a layer, while it is made. */
typedef struct layouts {
    layout x, plain, any, sums; /* plain, any: of the weights, as they come and as oneDNN likes */
} layouts;

static dnnl_status_t layouts_init(layouts *l, size_t inputs, size_t outputs, size_t n, size_t x_ld)
{
    const dnnl_dim_t m = (dnnl_dim_t)n, k = (dnnl_dim_t)inputs, o = (dnnl_dim_t)outputs;
    const dnnl_dims_t x = { m, k }, w = { k, o }, sums = { m, o };
    const dnnl_dims_t x_strides = { (dnnl_dim_t)x_ld, 1 }, strides = { o, 1 };
    dnnl_status_t status = layout_strided(&l->x, x, dnnl_u8, x_strides);
    if (status == dnnl_success)
        status = layout_strided(&l->plain, w, dnnl_s8, strides);
    if (status == dnnl_success)
        status = layout_any(&l->any, w, dnnl_s8);
    return status == dnnl_success ? layout_strided(&l->sums, sums, dnnl_s32, strides) : status;
}

static void layouts_free(layouts *l)
{
    layout_free(&l->x);
    layout_free(&l->plain);
    layout_free(&l->any);
    layout_free(&l->sums);
}

static dnnl_status_t make_product(adass_bytes_layer *l, const layouts *of)
{
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
    if (status == dnnl_success) /* oneDNN's own would belong to the thread that creates it */
        status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = describe(&l->about, l->engine, &of->x, &of->any, NULL, &of->sums, attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&l->product, l->about);
    (void)dnnl_primitive_attr_destroy(attributes);
    return status;
}

/* The weights in the product's layout. */
static dnnl_status_t pack(adass_bytes_layer *l, const layouts *of, const int8_t *w)
{
    const layout_view packed = dnnl_primitive_desc_query_md(l->about, dnnl_query_weights_md, 0);
    dnnl_memory_t plain = NULL;
    dnnl_primitive_desc_t about = NULL;
    dnnl_primitive_t reorder = NULL;
    /* oneDNN reads it only */
    dnnl_status_t status = dnnl_memory_create(&plain, view(&of->plain), l->engine, (void *)w);
    if (status == dnnl_success)
        status = dnnl_memory_create(&l->w, packed, l->engine, DNNL_MEMORY_ALLOCATE);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(&about, view(&of->plain), l->engine, packed,
                                                    l->engine, NULL);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&reorder, about);
    if (status == dnnl_success)
        status = execute(reorder, l->engine, 2,
                         (dnnl_exec_arg_t[]){ { DNNL_ARG_FROM, plain }, { DNNL_ARG_TO, l->w } });
    (void)dnnl_primitive_destroy(reorder);
    (void)dnnl_primitive_desc_destroy(about);
    (void)dnnl_memory_destroy(plain);
    return status;
}

adass_status adass_bytes_layer_create(adass_bytes_layer **out, const int8_t *w, size_t inputs,
                                      size_t outputs, size_t n, size_t x_ld, adass_error *err)
{
    layouts of = { 0 };
    adass_bytes_layer *l = calloc(1, sizeof *l);
    if (l == NULL)
        return adass_fail_memory(err, "a layer of bytes", sizeof *l);
    dnnl_status_t status = dnnl_engine_create(&l->engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = layouts_init(&of, inputs, outputs, n, x_ld);
    if (status == dnnl_success)
        status = make_product(l, &of);
    if (status == dnnl_success)
        status = pack(l, &of, w);
    layouts_free(&of);
    if (status != dnnl_success) {
        adass_bytes_layer_destroy(l);
        return check(status, "making it", err);
    }
    *out = l;
    return ADASS_OK;
}

void adass_bytes_layer_destroy(adass_bytes_layer *layer)
{
    if (layer == NULL)
        return;
    (void)dnnl_memory_destroy(layer->w);
    (void)dnnl_primitive_destroy(layer->product);
    (void)dnnl_primitive_desc_destroy(layer->about);
    (void)dnnl_engine_destroy(layer->engine);
    free(layer);
}

adass_status adass_bytes_layer_run(const adass_bytes_layer *layer, int32_t *sums, const uint8_t *x,
                                   adass_error *err)
{
    static const dnnl_query_t kinds[3] = { dnnl_query_src_md, dnnl_query_dst_md,
                                           dnnl_query_scratchpad_md };
    void *const data[3] = { (void *)x, sums, DNNL_MEMORY_ALLOCATE };
    dnnl_memory_t memories[3] = { NULL };
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < 3 && status == dnnl_success; i++)
        status = dnnl_memory_create(&memories[i],
                                    dnnl_primitive_desc_query_md(layer->about, kinds[i], 0),
                                    layer->engine, data[i]);
    if (status == dnnl_success)
        status = execute(layer->product, layer->engine, 4,
                         (dnnl_exec_arg_t[]){ { DNNL_ARG_SRC, memories[0] },
                                              { DNNL_ARG_WEIGHTS, layer->w },
                                              { DNNL_ARG_DST, memories[1] },
                                              { DNNL_ARG_SCRATCHPAD, memories[2] } });
    for (int i = 0; i < 3; i++)
        (void)dnnl_memory_destroy(memories[i]);
    return check(status, "running it", err);
}
