/* Descriptors of matrices and products, which oneDNN's versions 2 and 3 make differently. */
#ifndef ADASS_ONEDNN_H
#define ADASS_ONEDNN_H

#include <dnnl.h>

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t layout;
typedef const_dnnl_memory_desc_t layout_view;

/* For oneDNN's functions, which take a layout by value or by address. */
static inline layout_view view(const layout *l) { return *l; }

/* Of one that is 0 too. */
static inline void layout_free(layout *l)
{
    if (*l != NULL)
        (void)dnnl_memory_desc_destroy(*l);
}

static inline dnnl_status_t layout_strided(layout *l, const dnnl_dims_t dims, dnnl_data_type_t type,
                                           const dnnl_dims_t strides)
{
    return dnnl_memory_desc_create_with_strides(l, 2, dims, type, strides);
}

/* A matrix that oneDNN lays out as it likes best. */
static inline dnnl_status_t layout_any(layout *l, const dnnl_dims_t dims, dnnl_data_type_t type)
{
    return dnnl_memory_desc_create_with_tag(l, 2, dims, type, dnnl_format_tag_any);
}

static inline dnnl_status_t append_relu(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0.0f, 0.0f);
}

/* A product; without a bias where that is NULL. */
static inline dnnl_status_t describe(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                     const layout *from, const layout *weights, const layout *bias,
                                     const layout *to, const_dnnl_primitive_attr_t attr)
{
    return dnnl_matmul_primitive_desc_create(out, engine, *from, *weights,
                                             bias == NULL ? NULL : *bias, *to, attr);
}
#else
typedef dnnl_memory_desc_t layout;
typedef const dnnl_memory_desc_t *layout_view;

static inline layout_view view(const layout *l) { return l; }

static inline void layout_free(layout *l) { (void)l; }

static inline dnnl_status_t layout_strided(layout *l, const dnnl_dims_t dims, dnnl_data_type_t type,
                                           const dnnl_dims_t strides)
{
    return dnnl_memory_desc_init_by_strides(l, 2, dims, type, strides);
}

static inline dnnl_status_t layout_any(layout *l, const dnnl_dims_t dims, dnnl_data_type_t type)
{
    return dnnl_memory_desc_init_by_tag(l, 2, dims, type, dnnl_format_tag_any);
}

static inline dnnl_status_t append_relu(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
}

static inline dnnl_status_t describe(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                     const layout *from, const layout *weights, const layout *bias,
                                     const layout *to, const_dnnl_primitive_attr_t attr)
{
    dnnl_matmul_desc_t op;
    const dnnl_status_t status = dnnl_matmul_desc_init(&op, from, weights, bias, to);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &op, attr, engine, NULL)
                                  : status;
}
#endif

#endif
