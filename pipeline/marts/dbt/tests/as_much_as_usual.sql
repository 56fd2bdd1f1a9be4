-- Days with less than half, or more than twice, the rows an hour of the seven days before: of as many
-- days as there are, at least three.
{{ config(severity='warn') }}
with volumes as (select * from {{ source('lake', 'volumes') }})
select d.hiveperiod, d.dstrct_code, v.rows_per_hour, median(u.rows_per_hour) as usual
from {{ source('lake', 'days') }} as d
join volumes as v using (hiveperiod, dstrct_code)
join volumes as u
    on u.dstrct_code = d.dstrct_code
    and u.hiveperiod < d.hiveperiod
    and u.hiveperiod >= strftime(d.hiveperiod::date - 7, '%Y-%m-%d')
group by all
having count(*) >= 3 and v.rows_per_hour not between 0.5 * usual and 2 * usual
