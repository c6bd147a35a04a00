double firMean(const double *samples, int n);
