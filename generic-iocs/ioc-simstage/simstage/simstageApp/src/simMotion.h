/*
 * How a stage moves: arithmetic only, no clock, no threads, no EPICS.
 * Positions are in engineering units (EGU), velocities in EGU per second.
 */
#ifndef INC_simMotion_H
#define INC_simMotion_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    simMotionOk,
    simMotionLimit, /* refused: outside the soft limits */
    simMotionBad    /* refused: not a value this field can have */
} simMotionStatus;

typedef struct {
    double position; /* where the stage is */
    double target;   /* where it goes; equals position when it is at rest */
    double velocity; /* always > 0 */
    double low;      /* soft limits: a setpoint equal to a limit is allowed */
    double high;
    int refused;     /* the latest setpoint was outside the limits */
} simMotion;

/* A stage at rest, as near to 0 as its limits allow. Refuses (simMotionBad) a
 * velocity that is not above 0, and limits that are not low < high. */
simMotionStatus simMotionInit(simMotion *m, double velocity, double low, double high);

/* Lets `seconds` pass. */
void simMotionAdvance(simMotion *m, double seconds);

int simMotionMoving(const simMotion *m);

/* A new setpoint, also while the stage moves. A refused one changes nothing
 * but `refused`. */
simMotionStatus simMotionTo(simMotion *m, double target);

/* Stops where the stage is now. */
void simMotionStop(simMotion *m);

simMotionStatus simMotionSetVelocity(simMotion *m, double velocity);

/* A new soft limit. A stage on its way to a place that the new limits exclude
 * stops. */
simMotionStatus simMotionSetLow(simMotion *m, double low);
simMotionStatus simMotionSetHigh(simMotion *m, double high);

#ifdef __cplusplus
}
#endif
#endif
