-- Fault codes by the hour. One that was not there for more than a minute has come back; the minutes
-- before the hour tell whether it goes on or begins.
with
active as (
    select
        s.hiveperiod,
        s.dstrct_code,
        s.unitno,
        s.hour_start,
        s.own,
        s.ts,
        t.DtcSpn as spn,
        t.DtcFmi as fmi,
        t.DtcSource as source,
        t.DtcOccurrence as occurrence,
        coalesce(
            s.ts - lag(s.ts) over (
                partition by s.dstrct_code, s.unitno, t.DtcSpn, t.DtcFmi, t.DtcSource
                order by s.ts
            ) > interval 1 minute,
            true
        ) as fresh
    from {{ source('lake', 'telemetry') }} as t
    join {{ ref('stg_seconds') }} as s using (deviceid, ts)
    where t.DtcSpn is not null
)
select
    any_value(hiveperiod) as hiveperiod,
    dstrct_code,
    unitno,
    hour_start,
    spn,
    fmi,
    source,
    count(*) as active_s,
    count_if(fresh) as times,
    not arg_min(fresh, ts) as carried,
    min(ts) as first_ts,
    max(ts) as last_ts,
    max(occurrence) as occurrence
from active
where own
group by dstrct_code, unitno, hour_start, spn, fmi, source
