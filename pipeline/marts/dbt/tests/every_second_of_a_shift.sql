-- A shift is as long as its states together, also on the day when the clocks are changed.
select u.hiveperiod, u.dstrct_code, u.unitno, u.shift, u.shift_s, s.until_s - s.from_s as expected_s
from {{ ref('unit_shift') }} as u
left join {{ source('lake', 'shifts') }} as s using (hiveperiod, dstrct_code, shift)
where u.shift_s is distinct from s.until_s - s.from_s
