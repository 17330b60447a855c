/* SPDX-License-Identifier: MIT
 *
 * The JSON file: what the table says, and the curves, for programs. README.md describes it. */
#include <stdio.h>

#include "machine.h"
#include "report.h"

static void json_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        if ((unsigned char)*text >= ' ')
            fputc(*text, out);
    }
    fputc('"', out);
}

static void json_row(FILE *out, const report_row *r)
{
    fprintf(out, "{\"benchmark\": ");
    json_string(out, r->benchmark);
    fprintf(out, ", \"what\": ");
    json_string(out, r->what);
    fprintf(out, ", \"unit\": ");
    json_string(out, r->unit);
    if (r->of[0]) {
        fprintf(out, ", \"of\": ");
        json_string(out, r->of);
        fprintf(out, ", \"to\": ");
        json_string(out, r->to);
    }
    fprintf(out, ", \"median\": %.6g, \"min\": %.6g, \"max\": %.6g", r->median, r->min, r->max);
    if (r->bar.sense != BENCH_NO_BAR)
        fprintf(out, ", \"bar\": {\"%s\": %.6g, \"met\": %s}", r->bar.sense == BENCH_AT_MOST ? "at_most" : "at_least",
                r->bar.value, report_met(r) ? "true" : "false");
    fprintf(out, "}");
}

static void json_curve(FILE *out, const report_curve *c)
{
    static const char *const axes[] = {[BENCH_PERCENTILES] = "percentiles", [BENCH_OVER_TIME] = "time"};
    fprintf(out, "{\"benchmark\": ");
    json_string(out, c->benchmark);
    fprintf(out, ", \"plot\": ");
    json_string(out, c->plot);
    fprintf(out, ", \"name\": ");
    json_string(out, c->name);
    fprintf(out, ", \"axis\": \"%s\", \"unit\": ", axes[c->axis]);
    json_string(out, c->unit);
    fprintf(out, ", \"points\": [");
    for (size_t i = 0; i < c->count; i++) {
        const bench_point *p = &c->points[i];
        fprintf(out, "%s[%.9g, %.6g, %.6g, %.6g]", i ? ", " : "", p->x, p->median, p->min, p->max);
    }
    fprintf(out, "]}");
}

static void json_all(FILE *out)
{
    size_t count;
    fprintf(out, "{\n  \"quick\": %s,\n  \"machine\": {", bench_quick ? "true" : "false");
    for (size_t i = 0; machine_fact(i); i++) {
        fprintf(out, "%s\n    ", i ? "," : "");
        json_string(out, machine_fact(i)->name);
        fprintf(out, ": ");
        json_string(out, machine_fact(i)->value);
    }
    fprintf(out, "\n  },\n  \"wrong\": [");
    for (size_t i = 0; report_wrong_text(i); i++) {
        fprintf(out, "%s\n    ", i ? "," : "");
        json_string(out, report_wrong_text(i));
    }
    fprintf(out, "\n  ],\n  \"rows\": [");
    const report_row *rows = report_rows(&count);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s\n    ", i ? "," : "");
        json_row(out, &rows[i]);
    }
    fprintf(out, "\n  ],\n  \"curves\": [");
    const report_curve *curves = report_curves(&count);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s\n    ", i ? "," : "");
        json_curve(out, &curves[i]);
    }
    fprintf(out, "\n  ]\n}\n");
}

bool report_json(const char *path)
{
    FILE *out = fopen(path, "w");
    if (!out)
        return false;
    json_all(out);
    bool ok = !ferror(out);
    return fclose(out) == 0 && ok;
}
