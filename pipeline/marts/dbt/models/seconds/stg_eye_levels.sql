-- What open and closed eyes look like, by operator, unit and hour that is judged: as the firmware
-- calibrated it in that hour, else from the 14 days before, else the unit's, else from the hour.
with
hour as (
    select
        dstrct_code,
        operator,
        unitno,
        at_hour,
        median(earbaseline) as baseline,
        median(ear) filter (readable) as open_ear,
        median(headpitch) filter (tracked) as pitch,
        median(headyaw) filter (tracked) as yaw
    from {{ ref('stg_faces') }}
    where own and at_hour = hour_start
    group by all
),
earlier as (
    select
        d.dstrct_code,
        d.hour_start as at_hour,
        e.operator,
        e.unitno,
        e.readable_s,
        e.open_ear,
        e.sigma,
        e.closed_ear,
        e.pitch,
        e.yaw
    from {{ source('lake', 'hours') }} as d
    join {{ source('lake', 'eye_days') }} as e
        on e.dstrct_code = d.dstrct_code
        and e.hiveperiod < d.hiveperiod
        and e.hiveperiod >= strftime(d.hiveperiod::date - 14, '%Y-%m-%d')
),
{%- for name, key in [('persons', 'operator'), ('cabs', 'unitno')] %}
{{ name }} as (
    select
        dstrct_code,
        at_hour,
        {{ key }}
        {%- for measure in ['open_ear', 'sigma', 'closed_ear', 'pitch', 'yaw'] %},
        sum({{ measure }} * readable_s) / sum(readable_s) filter ({{ measure }} is not null)
            as {{ measure }}
        {%- endfor %}
    from earlier
    group by all
),
{%- endfor %}
open as (
    select
        h.*,
        p.sigma as known_sigma,
        p.closed_ear as known_closed,
        coalesce(h.baseline, p.open_ear, c.open_ear, h.open_ear) as level,
        coalesce(p.pitch, c.pitch, h.pitch) as own_pitch,
        coalesce(p.yaw, c.yaw, h.yaw) as own_yaw
    from hour as h
    left join persons as p using (dstrct_code, at_hour, operator)
    left join cabs as c using (dstrct_code, at_hour, unitno)
),
spread as (
    select
        f.dstrct_code,
        f.operator,
        f.unitno,
        f.at_hour,
        -- σ is the spread of seconds with open eyes
        stddev_samp(f.ear) filter (f.ear > 0.75 * o.level) as sigma,
        quantile_cont(f.earmin, 0.05) as lowest,
        count(*) as readable_s
    from {{ ref('stg_faces') }} as f
    join open as o using (dstrct_code, operator, unitno, at_hour)
    where f.own and f.at_hour = f.hour_start and f.readable
    group by all
)
select
    o.dstrct_code,
    o.operator,
    o.unitno,
    o.at_hour,
    o.level as open_ear,
    o.own_pitch as pitch,
    o.own_yaw as yaw,
    coalesce(s.readable_s, 0) as readable_s,
    o.open_ear as hour_open_ear,
    o.pitch as hour_pitch,
    o.yaw as hour_yaw,
    s.sigma as hour_sigma,
    -- more than half open: that were glances, no closed eye was seen
    case when s.lowest < 0.5 * o.level then s.lowest end as hour_closed_ear,
    coalesce(o.known_sigma, s.sigma, 0) as sigma,
    coalesce(o.known_closed, hour_closed_ear, 0.08) as closed_ear,
    -- eyes too narrow for the noise cannot be judged: that is blind, not awake
    coalesce(o.level - coalesce(o.known_closed, hour_closed_ear, 0.08) >= 4 * coalesce(
        o.known_sigma, s.sigma, 0
    ), false) as usable
from open as o
left join spread as s using (dstrct_code, operator, unitno, at_hour)
