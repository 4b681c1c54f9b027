/* Streams of random numbers of planted data, apart from one another; + f: one for each field. */
#ifndef ADASS_SYNTH_STREAMS_H
#define ADASS_SYNTH_STREAMS_H

enum {
    SYNTH_STREAM_VECTORS = 1,
    SYNTH_STREAM_LINEAR = 100,
    SYNTH_STREAM_IDS = 200,
    SYNTH_STREAM_HIDDEN = 300,
    SYNTH_STREAM_LABELS,
    SYNTH_STREAM_SPLIT,
    SYNTH_STREAM_NOISE,
    SYNTH_STREAM_NULL,
    SYNTH_STREAM_RAW = 400
};

#endif
