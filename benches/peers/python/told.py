"""How a run is told: the same line as the binaries write, with the time of the processor. Times of models are seconds."""

import sys
import time


def main(works):
    """Runs the workload that the arguments name, and prints workload, events, seconds, clock in ms and what was counted."""
    if len(sys.argv) != 3 or sys.argv[1] not in works:
        sys.exit("which workload, and how much of it? " + ", ".join(works))
    name, many = sys.argv[1], int(sys.argv[2])
    begun = time.process_time()
    events, clock, counted = works[name](many)
    seconds = time.process_time() - begun
    print(f"{name} {events} {seconds:.6f} {clock * 1e3:.3f}/{counted / events:.4f}")
