/*
 * Dense layers of bytes on oneDNN's matmul, whose weights are packed once: 550 instead of 450
 * billion operations a second with gemm_u8s8s32, which packs them at every call (a core of a Cascade
 * Lake, 819 and 400 inputs, 400 outputs, 256 samples). Inputs with room between the rows make
 * oneDNN 2.6 pack them all the same.
 */
#include "adass/dense_bytes.h"

#include <dnnl.h>
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

/* ---- what versions 2 and 3 do differently ---- */

typedef struct matrix {
    dnnl_dims_t dims, strides; /* strides[1] is 1 */
    dnnl_data_type_t type;
} matrix;

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t description;
typedef const_dnnl_memory_desc_t const_description;
#define DESCRIBED(d) (d)

static dnnl_status_t describe(description *out, const matrix *m)
{
    return dnnl_memory_desc_create_with_strides(out, 2, m->dims, m->type, m->strides);
}

static dnnl_status_t describe_any(description *out, const matrix *m)
{
    return dnnl_memory_desc_create_with_tag(out, 2, m->dims, m->type, dnnl_format_tag_any);
}

static void forget(description *d)
{
    if (*d != NULL)
        dnnl_memory_desc_destroy(*d);
}

static dnnl_status_t make_about(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                const description d[3], dnnl_primitive_attr_t attributes)
{
    return dnnl_matmul_primitive_desc_create(out, engine, d[0], d[1], NULL, d[2], attributes);
}

static dnnl_status_t make_reorder(dnnl_primitive_desc_t *out, const_description from,
                                  const_description to, dnnl_engine_t engine)
{
    return dnnl_reorder_primitive_desc_create(out, from, engine, to, engine, NULL);
}
#else
typedef dnnl_memory_desc_t description;
typedef const dnnl_memory_desc_t *const_description;
#define DESCRIBED(d) (&(d))

static dnnl_status_t describe(description *out, const matrix *m)
{
    return dnnl_memory_desc_init_by_strides(out, 2, m->dims, m->type, m->strides);
}

static dnnl_status_t describe_any(description *out, const matrix *m)
{
    return dnnl_memory_desc_init_by_tag(out, 2, m->dims, m->type, dnnl_format_tag_any);
}

static void forget(description *d) { (void)d; }

static dnnl_status_t make_about(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                const description d[3], dnnl_primitive_attr_t attributes)
{
    dnnl_matmul_desc_t product;
    const dnnl_status_t status = dnnl_matmul_desc_init(&product, &d[0], &d[1], NULL, &d[2]);
    return status == dnnl_success
               ? dnnl_primitive_desc_create(out, &product, attributes, engine, NULL)
               : status;
}

static dnnl_status_t make_reorder(dnnl_primitive_desc_t *out, const_description from,
                                  const_description to, dnnl_engine_t engine)
{
    return dnnl_reorder_primitive_desc_create(out, from, engine, to, engine, NULL);
}
#endif

/* ---- a layer ---- */

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

static dnnl_status_t make_product(adass_bytes_layer *l, const matrix m[3])
{
    description d[3] = { 0 };
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_status_t status = describe(&d[0], &m[0]);
    if (status == dnnl_success)
        status = describe_any(&d[1], &m[1]);
    if (status == dnnl_success)
        status = describe(&d[2], &m[2]);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_create(&attributes);
    if (status == dnnl_success) /* oneDNN's own would belong to the thread that creates it */
        status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = make_about(&l->about, l->engine, d, attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&l->product, l->about);
    if (attributes != NULL)
        dnnl_primitive_attr_destroy(attributes);
    for (int i = 0; i < 3; i++)
        forget(&d[i]);
    return status;
}

static dnnl_status_t reorder(adass_bytes_layer *l, dnnl_memory_t plain, const_description from)
{
    dnnl_primitive_desc_t about = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_status_t status = make_reorder(
        &about, from, dnnl_primitive_desc_query_md(l->about, dnnl_query_weights_md, 0), l->engine);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&primitive, about);
    if (status == dnnl_success)
        status = execute(primitive, l->engine, 2,
                         (dnnl_exec_arg_t[]){ { DNNL_ARG_FROM, plain }, { DNNL_ARG_TO, l->w } });
    if (primitive != NULL)
        dnnl_primitive_destroy(primitive);
    if (about != NULL)
        dnnl_primitive_desc_destroy(about);
    return status;
}

/* The weights in the product's layout. */
static dnnl_status_t pack(adass_bytes_layer *l, const matrix *m, const int8_t *w)
{
    description d = { 0 };
    dnnl_memory_t plain = NULL;
    dnnl_status_t status = describe(&d, m);
    if (status == dnnl_success) /* oneDNN reads it only */
        status = dnnl_memory_create(&plain, DESCRIBED(d), l->engine, (void *)w);
    if (status == dnnl_success)
        status = dnnl_memory_create(
            &l->w, dnnl_primitive_desc_query_md(l->about, dnnl_query_weights_md, 0), l->engine,
            DNNL_MEMORY_ALLOCATE);
    if (status == dnnl_success)
        status = reorder(l, plain, DESCRIBED(d));
    if (plain != NULL)
        dnnl_memory_destroy(plain);
    forget(&d);
    return status;
}

adass_status adass_bytes_layer_create(adass_bytes_layer **out, const int8_t *w, size_t inputs,
                                      size_t outputs, size_t n, size_t x_ld, adass_error *err)
{
    const dnnl_dim_t m = (dnnl_dim_t)n, k = (dnnl_dim_t)inputs, o = (dnnl_dim_t)outputs;
    const matrix matrices[3] = { { { m, k }, { (dnnl_dim_t)x_ld, 1 }, dnnl_u8 },
                                 { { k, o }, { o, 1 }, dnnl_s8 },
                                 { { m, o }, { o, 1 }, dnnl_s32 } };
    adass_bytes_layer *l = calloc(1, sizeof *l);
    if (l == NULL)
        return adass_fail_memory(err, "a layer of bytes", sizeof *l);
    dnnl_status_t status = dnnl_engine_create(&l->engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = make_product(l, matrices);
    if (status == dnnl_success)
        status = pack(l, &matrices[1], w);
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
    if (layer->w != NULL)
        dnnl_memory_destroy(layer->w);
    if (layer->product != NULL)
        dnnl_primitive_destroy(layer->product);
    if (layer->about != NULL)
        dnnl_primitive_desc_destroy(layer->about);
    if (layer->engine != NULL)
        dnnl_engine_destroy(layer->engine);
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
        if (memories[i] != NULL)
            dnnl_memory_destroy(memories[i]);
    return check(status, "running it", err);
}
