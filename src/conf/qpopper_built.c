/*
 * qpopper_built.c - what the switches of ./configure have set.
 *
 * Runs in: the master, at start and at SIGHUP.
 */
#include "config.h"

#include "conf/qpopper.h"

const char qpopper_built[] = QPOPPER_BUILT;
