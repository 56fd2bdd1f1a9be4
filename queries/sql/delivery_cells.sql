-- Device-hours that need a look, and every hour of some devices.
-- grain: one row per device and local hour
-- over: delivery
-- $devices: those of which every hour is wanted
-- columns: as of delivery, without overlapped, due, lost_s and powered_s. In no
--   order.
SELECT * EXCLUDE (overlapped, due, lost_s, powered_s)
FROM delivery
WHERE late OR state NOT IN ('complete', 'pending', 'proven_off') OR list_contains($devices, deviceid)
