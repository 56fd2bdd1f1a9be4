-- Seconds of a device's hour that is complete by the ledger, against the rows the ledger counted: more
-- cannot be, and some are missing only where two rows share a second or another object has them, too.
{{ config(severity='warn') }}
select deviceid, hour_start, observed_s, accepted
from {{ ref('device_hour') }}
where
    state = 'complete'
    and overlapped = 0
    and observed_s not between 0.9 * accepted and accepted
