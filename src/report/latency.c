#include "report/report.h"

double xr_report_latency(const exray_comparison *comparison, exray_side side)
{
    return exray_comparison_latency(comparison, side)->settled.median / 1e6;
}
