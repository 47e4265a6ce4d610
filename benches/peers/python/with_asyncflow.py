"""AsyncFlow: declared servers and edges. The time of a processor is a constant in it, so this is not the same model: its
services take as long on average, and its mean is shorter. Its edges have next to no latency."""

import simpy
from asyncflow.builder.asyncflow_builder import AsyncFlow
from asyncflow.runtime.simulation_runner import SimulationRunner
from asyncflow.schemas.settings.simulation import SimulationSettings
from asyncflow.schemas.topology.edges import Edge
from asyncflow.schemas.topology.endpoint import Endpoint
from asyncflow.schemas.topology.nodes import Client, Server
from asyncflow.schemas.workload.rqs_generator import RqsGenerator
from told import main

STATIONS = [("gateway", 4, 0.002), ("auth", 10, 0.006), ("inventory", 10, 0.006), ("payment", 10, 0.006)]


def four_stations(requests):
    seconds = max(5, round(requests / 1000))
    generator = RqsGenerator(
        id="shoppers",
        avg_active_users={"mean": 1000},
        avg_request_per_minute_per_user={"mean": 60},
    )
    servers = [
        Server(
            id=name,
            server_resources={"cpu_cores": workers, "ram_mb": 1024},
            endpoints=[
                Endpoint(
                    endpoint_name="work",
                    steps=[{"kind": "cpu_bound_operation", "step_operation": {"cpu_time": mean}}],
                )
            ],
        )
        for name, workers, mean in STATIONS
    ]
    way = ["shoppers", "client", *[name for name, _, _ in STATIONS], "client"]
    edges = [
        Edge(
            id=f"{source} to {target}",
            source=source,
            target=target,
            latency={"mean": 1e-6, "distribution": "exponential"},
            dropout_rate=0.0,
        )
        for source, target in zip(way, way[1:])
    ]
    settings = SimulationSettings(
        total_simulation_time=seconds, sample_period_s=0.1, enabled_sample_metrics=[], enabled_event_metrics=["rqs_clock"]
    )
    flow = AsyncFlow().add_generator(generator).add_client(Client(id="client"))
    payload = flow.add_servers(*servers).add_edges(*edges).add_simulation_settings(settings).build_payload()
    results = SimulationRunner(env=simpy.Environment(), simulation_input=payload).run()
    latencies = results.get_latency_stats()
    finished = int(latencies["total_requests"])
    return finished, seconds, latencies["mean"] * 1e9 * finished


main({"four_stations": four_stations})
