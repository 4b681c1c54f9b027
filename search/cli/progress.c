/* A line of progress on the terminal, and stopping by Ctrl-C. */
#include "progress.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const double seconds_between_lines = 0.2;

/* A signal handler can reach nothing but global state. */
static volatile sig_atomic_t stop_requested;

static void request_stop(int signal_number)
{
    (void)signal_number;
    stop_requested = 1;
}

static bool stop(void *user)
{
    (void)user;
    return stop_requested != 0;
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

/* Unless the signal is ignored, as a shell does for a background job. */
static void catch_signal(int signal_number, struct sigaction *old)
{
    /* SA_RESETHAND: the second signal finds the default action, and kills. */
    struct sigaction action = { .sa_handler = request_stop, .sa_flags = (int)SA_RESETHAND };
    sigemptyset(&action.sa_mask);
    sigaction(signal_number, NULL, old);
    if (old->sa_handler != SIG_IGN)
        sigaction(signal_number, &action, NULL);
}

void adass_progress_begin(adass_progress *p)
{
    const bool terminal = isatty(STDERR_FILENO) == 1;
    *p = (adass_progress){
        .monitor = { .progress = terminal ? progress : NULL, .stop = stop, .user = p },
    };
    catch_signal(SIGINT, &p->old_int);
    catch_signal(SIGTERM, &p->old_term);
}

void adass_progress_end(adass_progress *p)
{
    if (p->shown > 0.0) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    sigaction(SIGINT, &p->old_int, NULL);
    sigaction(SIGTERM, &p->old_term, NULL);
}
