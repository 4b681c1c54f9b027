/*
 * Products of blocks with packed weights: oneDNN's matmul primitives, made once a shape.
 *
 * A primitive remembers the number of threads it was made under, so each is made with one.
 */
#include "adass/dense.h"

#include "adass/memory.h"
#include "onednn.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>

/* One thread's memory objects of a product, which are pointed at the operands of each call. */
typedef struct call {
    dnnl_memory_t from, to, bias, scratch;
    void *scratch_bytes;
} call;

/* What oneDNN needs for one number of inputs. */
typedef struct product {
    size_t inputs;
    dnnl_primitive_t multiply, pack;
    dnnl_memory_t plain, packed; /* the weights before and after */
    size_t packed_bytes;
    call *calls; /* [threads] */
} product;

struct adass_dense_plan {
    adass_dense_plan_config config;
    dnnl_engine_t engine;
    dnnl_stream_t stream; /* has no state on a CPU: all threads may use it */
    product **products;
    size_t n_products;
    const product *now; /* of the weights packed last */
    void *packed;
    size_t packed_bytes;
};

/* The layouts of one product, while it is made. */
typedef struct layouts {
    layout from, plain, any, bias, to;
} layouts;

static adass_status fail_shape(const adass_dense_plan_config *c, size_t inputs,
                               dnnl_status_t status, adass_error *err)
{
    return adass_fail(err, status == dnnl_out_of_memory ? ADASS_ENOMEM : ADASS_EUNSUPPORTED,
                      "oneDNN's matmul of %s (%zu samples, %zu inputs, %zu outputs, %s) failed "
                      "with status %d",
                      adass_type_name(c->type), c->samples, inputs, c->outputs,
                      c->backward ? "backward" : "forward", (int)status);
}

static dnnl_data_type_t data_type(adass_type type)
{
    return type == ADASS_BF16 ? dnnl_bf16 : dnnl_f32;
}

static dnnl_status_t layouts_init(layouts *l, const adass_dense_plan_config *c, size_t inputs)
{
    const dnnl_dim_t n = (dnnl_dim_t)c->samples, in = (dnnl_dim_t)inputs,
                     out = (dnnl_dim_t)c->outputs;
    const dnnl_dim_t k = c->backward ? out : in, m = c->backward ? in : out;
    const dnnl_dims_t from = { n, k }, to = { n, m }, weights = { k, m }, bias = { 1, m };
    const dnnl_dims_t from_strides = { (dnnl_dim_t)c->from_ld, 1 },
                      to_strides = { (dnnl_dim_t)c->to_ld, 1 }, bias_strides = { m, 1 };
    const dnnl_dims_t plain_strides = { c->backward ? 1 : out, c->backward ? out : 1 };
    dnnl_status_t status = layout_strided(&l->from, from, data_type(c->type), from_strides);
    if (status == dnnl_success)
        status = layout_strided(&l->plain, weights, dnnl_f32, plain_strides);
    if (status == dnnl_success)
        status = layout_any(&l->any, weights, data_type(c->type));
    if (status == dnnl_success)
        status = layout_strided(&l->bias, bias, dnnl_f32, bias_strides);
    return status == dnnl_success ? layout_strided(&l->to, to, dnnl_f32, to_strides) : status;
}

static void layouts_free(layouts *l)
{
    layout_free(&l->from);
    layout_free(&l->plain);
    layout_free(&l->any);
    layout_free(&l->bias);
    layout_free(&l->to);
}

/* The caller brings the scratch memory; ReLU is applied as the result is written. */
static dnnl_status_t attributes(dnnl_primitive_attr_t *attr, bool relu)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(attr);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
    if (status != dnnl_success || !relu)
        return status;
    status = dnnl_post_ops_create(&ops);
    if (status == dnnl_success)
        status = append_relu(ops);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    (void)dnnl_post_ops_destroy(ops);
    return status;
}

static dnnl_status_t call_init(call *c, dnnl_engine_t engine, const layouts *l, layout_view scratch)
{
    const size_t bytes = dnnl_memory_desc_get_size(scratch);
    c->scratch_bytes = bytes > 0 ? adass_alloc(bytes) : NULL;
    if (bytes > 0 && c->scratch_bytes == NULL)
        return dnnl_out_of_memory;
    dnnl_status_t status = dnnl_memory_create(&c->from, view(&l->from), engine, NULL);
    if (status == dnnl_success)
        status = dnnl_memory_create(&c->to, view(&l->to), engine, NULL);
    if (status == dnnl_success)
        status = dnnl_memory_create(&c->bias, view(&l->bias), engine, NULL);
    if (status == dnnl_success && bytes > 0)
        status = dnnl_memory_create(&c->scratch, scratch, engine, c->scratch_bytes);
    return status;
}

/* The product's parts that follow from the primitive's description. */
static dnnl_status_t product_fill(product *p, const adass_dense_plan *plan, const layouts *l,
                                  const_dnnl_primitive_desc_t description)
{
    const layout_view packed = dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
    const layout_view scratch =
        dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    dnnl_primitive_desc_t reorder = NULL;
    p->packed_bytes = dnnl_memory_desc_get_size(packed);
    p->calls = calloc((size_t)plan->config.threads, sizeof *p->calls);
    if (p->calls == NULL)
        return dnnl_out_of_memory;
    dnnl_status_t status = dnnl_primitive_create(&p->multiply, description);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(&reorder, view(&l->plain), plan->engine, packed,
                                                    plan->engine, NULL);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&p->pack, reorder);
    (void)dnnl_primitive_desc_destroy(reorder);
    if (status == dnnl_success)
        status = dnnl_memory_create(&p->plain, view(&l->plain), plan->engine, NULL);
    if (status == dnnl_success)
        status = dnnl_memory_create(&p->packed, packed, plan->engine, NULL);
    for (int i = 0; status == dnnl_success && i < plan->config.threads; i++)
        status = call_init(&p->calls[i], plan->engine, l, scratch);
    return status;
}

static void product_destroy(product *p, int threads)
{
    if (p == NULL)
        return;
    for (int i = 0; p->calls != NULL && i < threads; i++) {
        call *c = &p->calls[i];
        dnnl_memory_t owned[] = { c->from, c->to, c->bias, c->scratch };
        for (size_t k = 0; k < sizeof owned / sizeof owned[0]; k++)
            (void)dnnl_memory_destroy(owned[k]);
        free(c->scratch_bytes);
    }
    free(p->calls);
    (void)dnnl_memory_destroy(p->plain);
    (void)dnnl_memory_destroy(p->packed);
    (void)dnnl_primitive_destroy(p->multiply);
    (void)dnnl_primitive_destroy(p->pack);
    free(p);
}

static dnnl_status_t product_init(product *p, const adass_dense_plan *plan)
{
    const adass_dense_plan_config *c = &plan->config;
    layouts l = { 0 };
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = layouts_init(&l, c, p->inputs);
    if (status == dnnl_success)
        status = attributes(&attr, c->relu);
    if (status == dnnl_success)
        status = describe(&description, plan->engine, &l.from, &l.any, c->backward ? NULL : &l.bias,
                          &l.to, attr);
    if (status == dnnl_success)
        status = product_fill(p, plan, &l, description);
    (void)dnnl_primitive_desc_destroy(description);
    (void)dnnl_primitive_attr_destroy(attr);
    layouts_free(&l);
    return status;
}

/* A new product, kept for the next time that its number of inputs comes. */
static adass_status add_product(adass_dense_plan *plan, size_t inputs, product **out,
                                adass_error *err)
{
    product **products = realloc(plan->products, (plan->n_products + 1) * sizeof *plan->products);
    if (products == NULL)
        return adass_fail_memory(err, "a layer's product", sizeof *plan->products);
    plan->products = products;
    product *p = calloc(1, sizeof *p);
    if (p == NULL)
        return adass_fail_memory(err, "a layer's product", sizeof *p);
    p->inputs = inputs;
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const dnnl_status_t status = product_init(p, plan);
    omp_set_num_threads(threads);
    void *packed = NULL;
    if (status == dnnl_success && p->packed_bytes > plan->packed_bytes) {
        packed = adass_alloc(p->packed_bytes);
        if (packed == NULL) {
            product_destroy(p, plan->config.threads);
            return adass_fail_memory(err, "a layer's packed weights", (double)p->packed_bytes);
        }
        free(plan->packed);
        plan->packed = packed;
        plan->packed_bytes = p->packed_bytes;
    }
    if (status != dnnl_success) {
        product_destroy(p, plan->config.threads);
        return fail_shape(&plan->config, inputs, status, err);
    }
    plan->products[plan->n_products++] = p;
    *out = p;
    return ADASS_OK;
}

adass_status adass_dense_plan_create(adass_dense_plan **out, const adass_dense_plan_config *config,
                                     adass_error *err)
{
    if (config->type != ADASS_F32 && config->type != ADASS_BF16)
        return adass_fail(err, ADASS_EUNSUPPORTED, "products of %s are not there; f32 and bf16 are",
                          adass_type_name(config->type));
    adass_dense_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return adass_fail_memory(err, "a layer's products", sizeof *plan);
    plan->config = *config;
    dnnl_status_t status = dnnl_engine_create(&plan->engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = dnnl_stream_create(&plan->stream, plan->engine, dnnl_stream_default_flags);
    if (status != dnnl_success) {
        adass_dense_plan_destroy(plan);
        return fail_shape(config, 0, status, err);
    }
    *out = plan;
    return ADASS_OK;
}

void adass_dense_plan_destroy(adass_dense_plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->n_products; i++)
        product_destroy(plan->products[i], plan->config.threads);
    free(plan->products);
    free(plan->packed);
    (void)dnnl_stream_destroy(plan->stream);
    (void)dnnl_engine_destroy(plan->engine);
    free(plan);
}

adass_status adass_dense_plan_pack(adass_dense_plan *plan, const float *w, size_t inputs,
                                   adass_error *err)
{
    product *p = NULL;
    for (size_t i = 0; i < plan->n_products && p == NULL; i++)
        if (plan->products[i]->inputs == inputs)
            p = plan->products[i];
    if (p == NULL) {
        const adass_status status = add_product(plan, inputs, &p, err);
        if (status != ADASS_OK)
            return status;
    }
    plan->now = p;
    /* oneDNN's handles are of void *; the weights are only read */
    dnnl_status_t status = dnnl_memory_set_data_handle(p->plain, (void *)w);
    if (status == dnnl_success)
        status = dnnl_memory_set_data_handle(p->packed, plan->packed);
    const dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, p->plain }, { DNNL_ARG_TO, p->packed } };
    if (status == dnnl_success)
        status = dnnl_primitive_execute(p->pack, plan->stream, 2, args);
    return status == dnnl_success ? ADASS_OK : fail_shape(&plan->config, inputs, status, err);
}

adass_status adass_dense_plan_run(const adass_dense_plan *plan, float *to, const void *from,
                                  const float *bias, adass_error *err)
{
    const product *p = plan->now;
    assert(p != NULL && omp_get_thread_num() < plan->config.threads);
    const call *c = &p->calls[omp_get_thread_num()];
    dnnl_status_t status = dnnl_memory_set_data_handle(c->from, (void *)from);
    if (status == dnnl_success)
        status = dnnl_memory_set_data_handle(c->to, to);
    if (status == dnnl_success)
        status = dnnl_memory_set_data_handle(c->bias, (void *)bias);
    dnnl_exec_arg_t args[5] = { { DNNL_ARG_SRC, c->from },
                                { DNNL_ARG_WEIGHTS, p->packed },
                                { DNNL_ARG_DST, c->to } };
    int n = 3;
    if (c->scratch != NULL)
        args[n++] = (dnnl_exec_arg_t){ DNNL_ARG_SCRATCHPAD, c->scratch };
    if (!plan->config.backward)
        args[n++] = (dnnl_exec_arg_t){ DNNL_ARG_BIAS, c->bias };
    if (status == dnnl_success)
        status = dnnl_primitive_execute(p->multiply, plan->stream, n, args);
    return status == dnnl_success ? ADASS_OK : fail_shape(&plan->config, p->inputs, status, err);
}
