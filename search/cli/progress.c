/* A line of progress on the terminal, and stopping by Ctrl-C. */
#include "progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const double seconds_between_lines = 0.2;

/* The thread that takes signals can reach nothing but global state. */
static atomic_bool stop_requested;
static atomic_int works_going_on;

static void die_of(int signal_number)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal_number);
    signal(signal_number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    raise(signal_number);
}

static void *take_signals(void *set)
{
    int number;
    while (sigwait(set, &number) == 0)
        if (atomic_load(&works_going_on) == 0 || atomic_exchange(&stop_requested, true))
            die_of(number);
    return NULL;
}

/* Unless the signal is ignored, as a shell does for a background job. */
static void add_signal(sigset_t *set, int signal_number)
{
    struct sigaction action;
    if (sigaction(signal_number, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
        sigaddset(set, signal_number);
}

void adass_signals_begin(void)
{
    static sigset_t taken; /* lives as long as the thread */
    enum { STACK_BYTES = 256 << 10 };
    pthread_attr_t attributes;
    pthread_t thread;
    sigemptyset(&taken);
    add_signal(&taken, SIGINT);
    add_signal(&taken, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &taken, NULL);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, take_signals, &taken) != 0)
        pthread_sigmask(SIG_UNBLOCK, &taken, NULL); /* they kill */
    pthread_attr_destroy(&attributes);
}

static bool stop(void *user)
{
    (void)user;
    return atomic_load(&stop_requested);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* "12.3k", at most six characters. */
static void format_rate(char text[16], double rate)
{
    static const char units[] = { ' ', 'k', 'M', 'G', 'T' };
    size_t unit = 0;
    while (rate >= 1000.0 && unit + 1 < sizeof units) {
        rate /= 1000.0;
        unit++;
    }
    snprintf(text, 16, unit == 0 ? "%.1f" : "%.1f%c", rate, units[unit]);
}

/* "1:02:03" or "2:03" */
static void format_duration(char text[32], double seconds)
{
    const uint64_t s = (uint64_t)seconds;
    if (s >= 3600)
        snprintf(text, 32, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, 32, "%" PRIu64 ":%02" PRIu64, s / 60, s % 60);
}

/* Columns of the terminal: a line that wraps could not be overwritten. */
static int columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
}

static void print_line(const adass_progress *p, double time, uint64_t done, uint64_t total,
                       const char *note)
{
    const double elapsed = time - p->stage_began;
    const double rate = elapsed > 0.0 ? (double)(done - p->stage_done) / elapsed : 0.0;
    char pace[16], left[32] = "?", line[512];
    format_rate(pace, rate);
    if (rate > 0.0 && total >= done)
        format_duration(left, (double)(total - done) / rate);
    if (total > 0)
        snprintf(line, sizeof line, "%s %3.0f%%  %s/s  %s left  %s", p->stage,
                 100.0 * (double)done / (double)total, pace, left, note);
    else /* of unknown length */
        snprintf(line, sizeof line, "%s %" PRIu64 "  %s/s  %s", p->stage, done, pace, note);
    fprintf(stderr, "\r%.*s\033[K", columns(), line);
    fflush(stderr);
}

static void progress(void *user, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    adass_progress *p = user;
    const double time = now();
    if (strncmp(p->stage, stage, sizeof p->stage - 1) != 0 || done < p->stage_done) {
        snprintf(p->stage, sizeof p->stage, "%s", stage);
        p->stage_began = time;
        p->stage_done = done;
    }
    if (time - p->shown < seconds_between_lines)
        return;
    p->shown = time;
    print_line(p, time, done, total, note);
}

void adass_progress_begin(adass_progress *p)
{
    const bool terminal = isatty(STDERR_FILENO) == 1;
    *p = (adass_progress){
        .monitor = { .progress = terminal ? progress : NULL, .stop = stop, .user = p },
    };
    atomic_fetch_add(&works_going_on, 1);
}

void adass_progress_end(adass_progress *p)
{
    if (p->shown > 0.0) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    atomic_fetch_sub(&works_going_on, 1);
}
