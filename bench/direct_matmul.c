/* oneDNN's matmul with packed weights, its objects made once and called by one thread. */
#include "direct_matmul.h"

#include "adass/memory.h"

#include <dnnl.h>
#include <omp.h>
#include <stdlib.h>

struct direct_matmul {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t multiply, reorder;
    dnnl_memory_t from, plain, packed, to, scratch;
    void *packed_bytes, *scratch_bytes;
};

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t layout;
typedef const_dnnl_memory_desc_t layout_view;
#define VIEW(l) (l)

static bool strided(layout *l, dnnl_data_type_t type, dnnl_dim_t rows, dnnl_dim_t cols,
                    dnnl_dim_t down, dnnl_dim_t right)
{
    const dnnl_dims_t dims = { rows, cols }, strides = { down, right };
    return dnnl_memory_desc_create_with_strides(l, 2, dims, type, strides) == dnnl_success;
}

static bool describe(dnnl_primitive_desc_t *out, dnnl_engine_t engine, layout from, layout to,
                     dnnl_data_type_t type, const dnnl_dims_t weights, dnnl_primitive_attr_t attr)
{
    layout any = NULL;
    const bool ok =
        dnnl_memory_desc_create_with_tag(&any, 2, weights, type, dnnl_format_tag_any) ==
            dnnl_success &&
        dnnl_matmul_primitive_desc_create(out, engine, from, any, NULL, to, attr) == dnnl_success;
    (void)dnnl_memory_desc_destroy(any);
    return ok;
}

static void forget(layout l) { (void)dnnl_memory_desc_destroy(l); }
#else
typedef dnnl_memory_desc_t layout;
typedef const dnnl_memory_desc_t *layout_view;
#define VIEW(l) (&(l))

static bool strided(layout *l, dnnl_data_type_t type, dnnl_dim_t rows, dnnl_dim_t cols,
                    dnnl_dim_t down, dnnl_dim_t right)
{
    const dnnl_dims_t dims = { rows, cols }, strides = { down, right };
    return dnnl_memory_desc_init_by_strides(l, 2, dims, type, strides) == dnnl_success;
}

static bool describe(dnnl_primitive_desc_t *out, dnnl_engine_t engine, layout from, layout to,
                     dnnl_data_type_t type, const dnnl_dims_t weights, dnnl_primitive_attr_t attr)
{
    layout any;
    dnnl_matmul_desc_t op;
    return dnnl_memory_desc_init_by_tag(&any, 2, weights, type, dnnl_format_tag_any) ==
               dnnl_success &&
           dnnl_matmul_desc_init(&op, &from, &any, NULL, &to) == dnnl_success &&
           dnnl_primitive_desc_create(out, &op, attr, engine, NULL) == dnnl_success;
}

static void forget(layout l) { (void)l; }
#endif

/* The memory objects and the two primitives of a description. */
static bool fill(direct_matmul *p, dnnl_primitive_desc_t description, layout from, layout plain,
                 layout to)
{
    const layout_view packed = dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
    const layout_view scratch =
        dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    dnnl_primitive_desc_t reorder = NULL;
    p->packed_bytes = adass_alloc(dnnl_memory_desc_get_size(packed));
    p->scratch_bytes = adass_alloc(dnnl_memory_desc_get_size(scratch));
    const bool ok =
        p->packed_bytes != NULL && p->scratch_bytes != NULL &&
        dnnl_primitive_create(&p->multiply, description) == dnnl_success &&
        dnnl_reorder_primitive_desc_create(&reorder, VIEW(plain), p->engine, packed, p->engine,
                                           NULL) == dnnl_success &&
        dnnl_primitive_create(&p->reorder, reorder) == dnnl_success &&
        dnnl_memory_create(&p->from, VIEW(from), p->engine, NULL) == dnnl_success &&
        dnnl_memory_create(&p->plain, VIEW(plain), p->engine, NULL) == dnnl_success &&
        dnnl_memory_create(&p->to, VIEW(to), p->engine, NULL) == dnnl_success &&
        dnnl_memory_create(&p->packed, packed, p->engine, p->packed_bytes) == dnnl_success &&
        dnnl_memory_create(&p->scratch, scratch, p->engine, p->scratch_bytes) == dnnl_success;
    (void)dnnl_primitive_desc_destroy(reorder);
    return ok;
}

static bool init(direct_matmul *p, const direct_matmul_shape *shape)
{
    const dnnl_dim_t n = (dnnl_dim_t)shape->n, m = (dnnl_dim_t)shape->m, k = (dnnl_dim_t)shape->k;
    const dnnl_data_type_t type = shape->type == ADASS_BF16 ? dnnl_bf16 : dnnl_f32;
    const bool transposed = shape->transposed;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t description = NULL;
    const dnnl_dims_t weights = { k, m };
    layout from = { 0 }, plain = { 0 }, to = { 0 };
    const bool ok =
        dnnl_engine_create(&p->engine, dnnl_cpu, 0) == dnnl_success &&
        dnnl_stream_create(&p->stream, p->engine, dnnl_stream_default_flags) == dnnl_success &&
        strided(&from, type, n, k, k, 1) && strided(&to, dnnl_f32, n, m, m, 1) &&
        strided(&plain, dnnl_f32, k, m, transposed ? 1 : m, transposed ? k : 1) &&
        dnnl_primitive_attr_create(&attr) == dnnl_success &&
        dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user) == dnnl_success &&
        describe(&description, p->engine, from, to, type, weights, attr) &&
        fill(p, description, from, plain, to);
    (void)dnnl_primitive_desc_destroy(description);
    (void)dnnl_primitive_attr_destroy(attr);
    forget(from);
    forget(plain);
    forget(to);
    return ok;
}

direct_matmul *direct_matmul_create(const direct_matmul_shape *shape)
{
    direct_matmul *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    const int threads = omp_get_max_threads();
    omp_set_num_threads(shape->threads); /* the primitive remembers it */
    const bool ok = init(p, shape);
    omp_set_num_threads(threads);
    if (ok)
        return p;
    direct_matmul_destroy(p);
    return NULL;
}

bool direct_matmul_pack(direct_matmul *p, const float *w)
{
    const dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, p->plain }, { DNNL_ARG_TO, p->packed } };
    return dnnl_memory_set_data_handle(p->plain, (void *)w) == dnnl_success &&
           dnnl_primitive_execute(p->reorder, p->stream, 2, args) == dnnl_success;
}

bool direct_matmul_run(direct_matmul *p, float *to, const void *from)
{
    const dnnl_exec_arg_t args[] = { { DNNL_ARG_SRC, p->from },
                                     { DNNL_ARG_WEIGHTS, p->packed },
                                     { DNNL_ARG_DST, p->to },
                                     { DNNL_ARG_SCRATCHPAD, p->scratch } };
    return dnnl_memory_set_data_handle(p->from, (void *)from) == dnnl_success &&
           dnnl_memory_set_data_handle(p->to, to) == dnnl_success &&
           dnnl_primitive_execute(p->multiply, p->stream, 4, args) == dnnl_success;
}

void direct_matmul_destroy(direct_matmul *p)
{
    if (p == NULL)
        return;
    dnnl_memory_t owned[] = { p->from, p->plain, p->packed, p->to, p->scratch };
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        (void)dnnl_memory_destroy(owned[i]);
    (void)dnnl_primitive_destroy(p->multiply);
    (void)dnnl_primitive_destroy(p->reorder);
    (void)dnnl_stream_destroy(p->stream);
    (void)dnnl_engine_destroy(p->engine);
    free(p->packed_bytes);
    free(p->scratch_bytes);
    free(p);
}
