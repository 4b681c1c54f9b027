/* Every kernel and the table of them: an ISA's file is its vector layer and this. */
#include "adagrad_rows.tpl.h"
#include "adagrad_rowwise.tpl.h"
#include "adam_dense.tpl.h"
#include "adam_rows.tpl.h"
#include "bce.tpl.h"
#include "bias_relu.tpl.h"
#include "column_squares.tpl.h"
#include "column_sums.tpl.h"
#include "copy_ids.tpl.h"
#include "dedup_accumulate.tpl.h"
#include "dequantize_relu.tpl.h"
#include "dequantize_rows.tpl.h"
#include "dropout.tpl.h"
#include "fm_backward.tpl.h"
#include "fm_backward_rows.tpl.h"
#include "fm_forward.tpl.h"
#include "linear_backward.tpl.h"
#include "linear_forward.tpl.h"
#include "lookup.tpl.h"
#include "lookup_fields.tpl.h"
#include "lookup_fm.tpl.h"
#include "quantize_rows.tpl.h"
#include "relu_backward.tpl.h"
#include "sgd_rows.tpl.h"

#define ADASS_TABLE_SLOT(isa, op) .op = ADASS_FN(op),
#define ADASS_DEFINE_TABLE(isa_name)                                                               \
    extern const adass_kernels ADASS_FN(kernels);                                                  \
    const adass_kernels ADASS_FN(kernels) = { .isa = #isa_name,                                    \
                                              ADASS_KERNEL_OPS(ADASS_TABLE_SLOT, unused) };
