-- Seconds with the eyes' opening as a share of the operator's own open eyes. `seen`: camera up and not
-- blocked, driver present, tracking sure, no sunglasses, eyes usable. `valid`: the head within 10° of the
-- usual, too.
with
judged as (
    select
        f.*,
        f.own and f.at_hour = f.hour_start as here,
        f.ear / l.open_ear as opening,
        l.open_ear,
        abs(f.headpitch - l.pitch) as pitch_off,
        abs(f.headyaw - l.yaw) as yaw_off,
        coalesce(f.readable and l.usable, false) as seen,
        seen and coalesce(abs(f.headpitch - l.pitch) <= 10, true) as valid
    from {{ ref('stg_faces') }} as f
    left join {{ ref('stg_eye_levels') }} as l using (dstrct_code, operator, unitno, at_hour)
)
select
    *,
    lag(ts) over w as last_ts,
    coalesce(lag(valid) over w, false) as last_valid,
    lag(yawncount) over w as last_yawns,
    last_value(case when not (seen and coalesce(eyecloseddur, 0) > 0) then ts end ignore nulls)
        over (w rows unbounded preceding) as last_open_ts,
    case when lead(ts) over w - ts <= interval 1500 milliseconds then lead(eyecloseddur) over w end
        as next_dur,
    case when lead(ts) over w - ts <= interval 1500 milliseconds then lead(eyeclosedfrac) over w end
        as next_frac
from judged
window w as (partition by deviceid, at_hour order by ts)
