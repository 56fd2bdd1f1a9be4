-- The hour's own measures of open eyes, for the 14 days after it.
select
    any_value(e.hiveperiod) as hiveperiod,
    e.dstrct_code,
    e.operator,
    e.unitno,
    e.at_hour as hour_start,
    any_value(l.open_ear) as open_ear,
    any_value(l.hour_open_ear) as seen_ear,
    any_value(l.hour_sigma) as sigma,
    any_value(l.hour_closed_ear) as closed_ear,
    any_value(l.hour_pitch) as pitch,
    any_value(l.hour_yaw) as yaw,
    any_value(l.usable) as usable,
    any_value(l.readable_s) as readable_s,
    count_if(e.valid and e.moving) as valid_moving_s,
    coalesce(
        sum(coalesce(e.eyeclosedfrac, (e.opening < 0.60)::int)) filter (e.valid and e.moving), 0
    ) as closed_moving_s
from {{ ref('stg_eyes') }} as e
join {{ ref('stg_eye_levels') }} as l using (dstrct_code, operator, unitno, at_hour)
where e.here and l.readable_s > 0
group by e.dstrct_code, e.operator, e.unitno, e.at_hour
