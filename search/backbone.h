/* The parts that backbones are put together from. */
#ifndef ADASS_SEARCH_BACKBONE_H
#define ADASS_SEARCH_BACKBONE_H

#include "adass/model.h"

/* First-order weights. */
static inline bool adass_backbone_has_linear(adass_backbone b)
{
    return b != ADASS_DNN && b != ADASS_DCNV2;
}

/* FM's pairs of embeddings. */
static inline bool adass_backbone_has_pairs(adass_backbone b)
{
    return b == ADASS_FM || b == ADASS_DEEPFM;
}

/* Dense layers over the packed embeddings. */
static inline bool adass_backbone_has_mlp(adass_backbone b)
{
    return b == ADASS_DNN || b == ADASS_WDL || b == ADASS_DEEPFM || b == ADASS_DCNV2;
}

/* Cross layers over the packed embeddings. */
static inline bool adass_backbone_has_cross(adass_backbone b) { return b == ADASS_DCNV2; }

#endif
