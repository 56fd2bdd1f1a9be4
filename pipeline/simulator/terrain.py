"""Pits, dumps and haul roads of a district: a tree of roads that meet at one junction.

Coordinates are metres east, north and up of the junction; places are invented.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .seeds import F64, stream

STEP = 10.0  # m between points of a road
#: name: (kind, length m, rise m from the junction, metres of spiral ramp at its end)
PLACES: dict[str, tuple[str, float, float, float]] = {
    "pit-a": ("pit", 2900, -115, 1300),
    "pit-b": ("pit", 3700, -150, 1700),
    "dump-a": ("dump", 2100, 55, 500),
    "dump-b": ("dump", 2700, 70, 600),
    "rom": ("stockpile", 9800, -20, 0),
    "workshop": ("workshop", 600, 4, 0),
    "fuel": ("fuel", 350, 2, 0),
    "park": ("parking", 450, 3, 0),
    "camp": ("camp", 5200, 12, 0),
    "pond": ("water", 900, -6, 0),
}
#: Invented sites: latitude and longitude of the junction.
SITES = {"MLKB": (-0.8312, 115.4127), "TRGA": (-2.1174, 114.9043), "SBRN": (0.6421, 116.3385)}


@dataclass(frozen=True)
class Route:
    """A way from place to place, one entry each ``STEP`` metres."""

    s: F64
    x: F64
    y: F64
    z: F64
    heading: F64  # rad, clockwise from north, unwrapped
    grade: F64
    curvature: F64  # 1/m, right positive


@dataclass
class Terrain:
    """One district's roads. ``towers`` are (x, y) of radio masts in metres."""

    code: str
    lat: float
    lon: float
    altitude: float
    roads: dict[str, F64]
    towers: F64
    _routes: dict[tuple[str, str], Route] = field(default_factory=dict)

    def route(self, origin: str, target: str) -> Route:
        """The way from one place over the junction to another."""
        key = (origin, target)
        if key not in self._routes:
            points = np.concatenate([self.roads[origin][::-1], self.roads[target][1:]])
            self._routes[key] = _measure(points)
        return self._routes[key]

    def degrees(self, x: F64, y: F64) -> tuple[F64, F64]:
        """(latitude, longitude) of metres east and north of the junction."""
        per_degree = 111_320 * np.cos(np.radians(self.lat))
        return self.lat + y / 110_574, self.lon + x / per_degree


def _measure(points: F64) -> Route:
    x, y, z = points.T
    heading = np.unwrap(np.arctan2(np.gradient(x), np.gradient(y)))
    smooth = np.ones(5) / 5
    grade = np.gradient(z) / np.maximum(np.hypot(np.gradient(x), np.gradient(y)), 1e-6)
    padded = np.pad(grade, 2, mode="edge")
    return Route(
        s=np.arange(len(x), dtype=np.float64) * STEP,
        x=x,
        y=y,
        z=z,
        heading=heading,
        grade=np.convolve(padded, smooth, mode="valid"),
        curvature=np.gradient(heading) / STEP,
    )


def _road(
    rng: np.random.Generator, bearing: float, length: float, rise: float, spiral: float
) -> F64:
    """Points from the junction outwards; the last ``spiral`` metres wind with a 110 m radius."""
    s = np.arange(0, length + STEP, STEP)
    bend = rng.uniform(0.25, 0.5) * np.sin(s / rng.uniform(350, 700) + rng.uniform(0, 6))
    heading = bearing + bend - bend[0]
    if spiral:
        heading = heading + np.maximum(0, s - (length - spiral)) / 110
    share = np.clip((s - 150) / (length - 300), 0, 1)
    ramp = share * share * (3 - 2 * share) * 0.25 + share * 0.75
    x = np.concatenate([[0], np.cumsum(np.sin(heading[:-1]) * STEP)])
    y = np.concatenate([[0], np.cumsum(np.cos(heading[:-1]) * STEP)])
    return np.column_stack([x, y, rise * ramp])


def build(seed: int, code: str) -> Terrain:
    """The district's terrain, from the seed alone."""
    rng = stream(seed, "terrain", code)
    lat, lon = SITES[code]
    turns = rng.permutation(len(PLACES)) * (2 * np.pi / len(PLACES))
    roads = {
        name: _road(rng, turn + rng.uniform(-0.15, 0.15), length, rise, spiral)
        for turn, (name, (_, length, rise, spiral)) in zip(turns, PLACES.items(), strict=True)
    }
    far = roads["rom"]
    towers = np.array([[0.0, 0.0], far[-1, :2], roads["pit-b"][-120, :2]])
    return Terrain(code, lat, lon, float(rng.uniform(90, 260)), roads, towers)


def features(terrain: Terrain) -> list[dict[str, Any]]:
    """GeoJSON features of a district: areas as polygons, roads as lines, with altitude."""
    found: list[dict[str, Any]] = []
    for name, (kind, *_) in PLACES.items():
        road = terrain.roads[name]
        lat, lon = terrain.degrees(road[::3, 0], road[::3, 1])
        line = [
            [round(float(a), 6), round(float(b), 6), round(float(c) + terrain.altitude, 1)]
            for a, b, c in zip(lon, lat, road[::3, 2], strict=True)
        ]
        found.append(_feature(terrain, f"road {name}", "haul_road", "LineString", line))
        angle = np.linspace(0, 2 * np.pi, 25)
        radius = {"pit": 240, "dump": 190, "stockpile": 160}.get(kind, 60)
        lat, lon = terrain.degrees(
            road[-1, 0] + radius * np.cos(angle), road[-1, 1] + radius * np.sin(angle)
        )
        ring = [[round(float(a), 6), round(float(b), 6)] for a, b in zip(lon, lat, strict=True)]
        found.append(_feature(terrain, name, kind, "Polygon", [[*ring[:-1], ring[0]]]))
    return found


def _feature(terrain: Terrain, name: str, kind: str, shape: str, at: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"district": terrain.code, "name": name, "kind": kind},
        "geometry": {"type": shape, "coordinates": at},
    }
