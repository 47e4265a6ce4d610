"""happysim: a source, servers that hand on what they have served, and a sink, as its documentation begins. It has stations and
no plain events with cancelling, so it has two of the workloads."""

from happysimulator import Instant, Server, Simulation, Sink, Source
from happysimulator.distributions import ExponentialLatency
from told import main

STATIONS = [(4, 0.002), (10, 0.006), (10, 0.006), (10, 0.006)]


def stations(rate, wanted, servers, per_request):
    sink = Sink()
    chain = []
    to = sink
    for n, (workers, mean) in reversed(list(enumerate(servers))):
        to = Server(f"station {n}", concurrency=workers, service_time=ExponentialLatency(mean), downstream=to)
        chain.append(to)
    end = Instant.from_seconds(wanted / rate)
    source = Source.poisson(rate=rate, target=to)
    simulation = Simulation(sources=[source], entities=[*chain, sink], end_time=end)
    simulation.run()
    finished = sink.events_received
    mean = sum(sink.latencies_s) / finished
    return finished * per_request, wanted / rate, mean * 1e9 * finished


def mm1(customers):
    return stations(0.8, customers, [(1, 1.0)], 2)


def four_stations(requests):
    return stations(1000.0, requests, STATIONS, 1)


main({"mm1": mm1, "four_stations": four_stations})
