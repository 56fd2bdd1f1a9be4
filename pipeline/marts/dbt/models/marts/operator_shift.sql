-- What was seen of an operator on a unit in a shift: what rates are divided by.
with
minutes as (
    select
        s.hiveperiod,
        s.shift,
        m.* exclude (hiveperiod),
        (epoch(m.minute)::bigint - s.begin_s) // 3600 as hour
    from {{ source('lake', 'shifts') }} as s
    join {{ source('rows', 'unit_minute_rows') }} as m
        on m.dstrct_code = s.dstrct_code
        and m.minute >= to_timestamp(s.from_s)
        and m.minute < to_timestamp(s.until_s)
    where m.operatorid <> ''
),
seen as (
    select
        hiveperiod,
        dstrct_code,
        shift,
        operatorid,
        unitno,
        min(minute) as first_minute,
        max(minute) as last_minute,
        sum(seconds)::bigint as observed_s,
        sum(moving_s)::bigint as moving_s,
        sum(eyes_valid_moving_s)::bigint as eyes_valid_moving_s,
        -- twelve hours, thirteen where clocks go back in the shift
        [
            {%- for hour in range(13) %}
            coalesce(sum(eyes_valid_moving_s) filter (hour = {{ hour }}), 0)::bigint{{ ',' if not loop.last }}
            {%- endfor %}
        ] as eyes_valid_moving_by_hour_s,
        sum(blind_moving_s)::bigint as blind_moving_s,
        sum(metres) / 1000 as km,
        sum(metres * eyes_valid_moving_s / nullif(moving_s, 0)) / 1000 as eye_km
    from minutes
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
