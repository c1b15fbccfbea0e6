/* All of the recorder: what an application includes that records a log. */
#ifndef EXRAY_EXRAY_H
#define EXRAY_EXRAY_H

#include <exray/flight.h>
#include <exray/recorder.h>
#include <exray/types.h>

#endif
