"""SimPy: processes are generators, resources have lines. The shapes are those of its documentation."""

from random import Random

import simpy
from told import main

STATIONS = [(4, 0.002), (10, 0.006), (10, 0.006), (10, 0.006)]


def mm1(customers):
    env, draw, told = simpy.Environment(), Random(1).expovariate, [0, 0, 0]
    server = simpy.Resource(env, capacity=1)

    def see(change):
        told[0] += 1
        told[2] += change
        told[1] += told[2]

    def customer():
        see(1)
        with server.request() as turn:
            yield turn
            yield env.timeout(draw(1.0))
        see(-1)

    def arrivals():
        for _ in range(customers):
            yield env.timeout(draw(0.8))
            env.process(customer())

    env.process(arrivals())
    env.run()
    return told[0], env.now, told[1]


def phold(jobs):
    env, random, told = simpy.Environment(), Random(1), [0, 0]
    draw, below, end = random.expovariate, random.randrange, env.event()

    def job(process):
        while True:
            yield env.timeout(0.1 + draw(1.0))
            told[0] += 1
            told[1] += process == 0
            if told[0] == jobs:
                end.succeed()
            process = below(1024)

    for n in range(1024 * 16):
        env.process(job(n // 16))
    env.run(until=end)
    return told[0], env.now, told[1]


def ping_pong(messages):
    env, told = simpy.Environment(), [0]
    end = env.event()

    def player(mine, theirs, begins):
        while True:
            if not begins:
                yield mine.get()
                told[0] += 1
                if told[0] == messages:
                    end.succeed()
            begins = False
            env.process(wire(theirs))

    def wire(to):
        yield env.timeout(0.001)
        yield to.put(None)

    for _ in range(1000):
        one, other = simpy.Store(env), simpy.Store(env)
        env.process(player(one, other, True))
        env.process(player(other, one, False))
    env.run(until=end)
    return told[0], env.now, told[0]


def rpc(replies):
    env, draw, told = simpy.Environment(), Random(1).expovariate, [0, 0]
    end = env.event()

    def caller():
        while True:
            reply, late = env.timeout(draw(100.0)), env.timeout(1.0)
            outcome = yield reply | late
            if reply in outcome:
                told[0] += 1
                if told[0] == replies:
                    end.succeed()
            else:
                told[1] += 1

    for _ in range(100_000):
        env.process(caller())
    env.run(until=end)
    return told[0], env.now, told[1]


def four_stations(requests):
    env, draw, told = simpy.Environment(), Random(1).expovariate, [0, 0.0]
    stations = [(simpy.Resource(env, capacity=workers), 1 / mean) for workers, mean in STATIONS]

    def request():
        since = env.now
        for station, rate in stations:
            with station.request() as turn:
                yield turn
                yield env.timeout(draw(rate))
        told[0] += 1
        told[1] += env.now - since

    def arrivals():
        for _ in range(requests):
            yield env.timeout(draw(1000.0))
            env.process(request())

    env.process(arrivals())
    env.run()
    return told[0], env.now, told[1] * 1e9


main({"mm1": mm1, "phold": phold, "ping_pong": ping_pong, "rpc": rpc, "four_stations": four_stations})
