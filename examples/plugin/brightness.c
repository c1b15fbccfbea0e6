/* A property in four lines: the edge's pictures are at most 8 levels darker than the
 * reference's ([0]: the edge's, [1]: the reference's).  by_hand.py checks the same without exray.
 *
 *     cc -std=c11 -shared -fPIC -I include examples/plugin/brightness.c -o brightness.so
 *     exray validate edge.mcap reference.mcap --plugin brightness.so
 */
#include <exray/assertion.h>
EXRAY_INPUT_PROPERTY(brightness, "user.brightness", "the edge's pictures are as bright as the reference's",
                     in, in->metrics.mean[0] > in->metrics.mean[1] - 8 * in->step[1])
EXRAY_PLUGIN(&brightness);
