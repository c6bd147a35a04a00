#include "fir.h"

double firMean(const double *samples, int n)
{
    double sum = 0;
    int i;

    for (i = 0; i < n; i++)
        sum += samples[i];
    return sum / n;
}
