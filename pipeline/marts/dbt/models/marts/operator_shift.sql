-- What was seen of an operator on a unit in a shift: what rates are divided by.
with
seen as (
    select
        s.hiveperiod,
        s.dstrct_code,
        s.shift,
        m.operatorid,
        m.unitno,
        min(m.minute) as first_minute,
        max(m.minute) as last_minute,
        sum(m.seconds)::bigint as observed_s,
        sum(m.moving_s)::bigint as moving_s,
        sum(m.eyes_valid_moving_s)::bigint as eyes_valid_moving_s,
        sum(m.blind_moving_s)::bigint as blind_moving_s,
        sum(m.metres) / 1000 as km,
        sum(m.metres * m.eyes_valid_moving_s / nullif(m.moving_s, 0)) / 1000 as eye_km
    from {{ source('lake', 'shifts') }} as s
    join {{ source('rows', 'unit_minute_rows') }} as m
        on m.dstrct_code = s.dstrct_code
        and m.minute >= to_timestamp(s.from_s)
        and m.minute < to_timestamp(s.until_s)
    where m.operatorid <> ''
    group by all
),
cases as (
    select hiveperiod, dstrct_code, shift, operatorid, unitno, count(*) as cases
    from {{ ref('fatigue_case') }}
    group by all
)
select s.*, coalesce(c.cases, 0) as cases
from seen as s
left join cases as c using (hiveperiod, dstrct_code, shift, operatorid, unitno)
