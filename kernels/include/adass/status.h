/* Status codes and error messages, used by every part of AdaSS. */
#ifndef ADASS_STATUS_H
#define ADASS_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum adass_status {
    ADASS_OK = 0,
    ADASS_EINVAL,       /* an argument, option or configuration that cannot be used */
    ADASS_EFORMAT,      /* input data that is not what its format demands */
    ADASS_EIO,          /* the operating system refused to read or write */
    ADASS_ENOMEM,       /* out of memory */
    ADASS_EUNSUPPORTED, /* this build or this CPU cannot do it */
    ADASS_EINTERRUPTED  /* stopped on request (Ctrl-C) */
} adass_status;

enum { ADASS_ERROR_CHARS = 1024 };

/**
 * What went wrong: the code, and one sentence that says what, where and what to do about it.
 * The storage is the caller's. Every function that takes an `adass_error *` accepts NULL.
 */
typedef struct adass_error {
    adass_status code;
    char message[ADASS_ERROR_CHARS];
} adass_error;

#if defined(__GNUC__)
#define ADASS_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define ADASS_PRINTF(text, first)
#endif

/**
 * Fills `err` (may be NULL) with `code` and the formatted message, cut to the space there is.
 *
 * @return code, so that `return adass_fail(err, ADASS_EIO, "...")` is one statement
 */
adass_status adass_fail(adass_error *err, adass_status code, const char *format, ...)
    ADASS_PRINTF(3, 4);

/** ADASS_ENOMEM with a message that names what the memory was for and how much it was. */
adass_status adass_fail_memory(adass_error *err, const char *what, double bytes);

#ifdef __cplusplus
}
#endif

#endif
