{#- Signals of unit_minute, in the dictionary's spelling. Single list: the model and its tests. -#}
{% macro minute_signals() %}
{{ return([
    'VehicleSpeed', 'gpsspeed', 'EngineSpeed', 'EngineLoad', 'FuelRate', 'EngineCoolantTemp',
    'EngineOilTemp', 'EngineOilPressure', 'BoostPressure', 'ExhaustGasTemp',
    'TransmissionOilTemp', 'RetarderOilTemp', 'BatteryVoltage', 'AirPressureCircuit1',
    'AirPressureCircuit2', 'FuelLevel',
    'TirePressure1', 'TirePressure2', 'TirePressure3', 'TirePressure4', 'TirePressure5',
    'TirePressure6', 'TireTemp1', 'TireTemp2', 'TireTemp3', 'TireTemp4', 'TireTemp5', 'TireTemp6',
    'payload', 'ear', 'gpsnumsat', 'gpshdop', 'cputemp'
]) }}
{% endmacro %}

{#- Decimals of a signal in a minute: about what its sensor can tell, which packs far better. -#}
{% macro digits(name) %}
{{ return({'ear': 3, 'BatteryVoltage': 2}.get(
    name, 0 if 'Pressure' in name or name in ['EngineSpeed', 'ExhaustGasTemp'] else 1
)) }}
{% endmacro %}

{#- Bands: (signal, condition), as the dictionary has them. -#}
{% macro bands() %}
{{ return([
    ('VehicleSpeed', ''),
    ('EngineSpeed', 'EngineSpeed>=400'),
    ('EngineCoolantTemp', 'EngineSpeed>=400'),
    ('EngineCoolantLevel', ''),
    ('EngineOilTemp', 'EngineSpeed>=400'),
    ('EngineOilPressure', 'EngineSpeed>1000'),
    ('EngineCrankcasePressure', 'EngineSpeed>=400'),
    ('BoostPressure', 'EngineLoad>80'),
    ('IntakeManifoldTemp', 'EngineSpeed>=400'),
    ('AirFilterDiffPressure', 'EngineSpeed>1000'),
    ('ExhaustGasTemp', 'EngineSpeed>=400'),
    ('FuelLevel', ''),
    ('DefTankLevel', ''),
    ('TransmissionOilTemp', 'EngineSpeed>=400'),
    ('RetarderOilTemp', 'EngineSpeed>=400'),
    ('AirPressureCircuit1', 'EngineSpeed>=400'),
    ('AirPressureCircuit2', 'EngineSpeed>=400'),
    ('BatteryVoltage', 'EngineSpeed>=400'),
    ('BatteryVoltage', 'EngineSpeed<400'),
    ('ServiceDistance', ''),
    ('cputemp', ''),
    ('storagefree', ''),
    ('devicevoltage', ''),
    ('netrssi', ''),
    ('gpshdop', 'gpsfixtype>=2'),
    ('gpsnumsat', ''),
    ('TirePressure1', ''),
    ('TireTemp1', 'VehicleSpeed>=5'),
    ('TirePressure2', ''),
    ('TireTemp2', 'VehicleSpeed>=5'),
    ('TirePressure3', ''),
    ('TireTemp3', 'VehicleSpeed>=5'),
    ('TirePressure4', ''),
    ('TireTemp4', 'VehicleSpeed>=5'),
    ('TirePressure5', ''),
    ('TireTemp5', 'VehicleSpeed>=5'),
    ('TirePressure6', ''),
    ('TireTemp6', 'VehicleSpeed>=5'),
]) }}
{% endmacro %}

{#- Conditions of bands, as the dictionary writes them, in SQL. -#}
{% macro conditions() %}
{{ return({
    'EngineSpeed>=400': 'EngineSpeed >= 400',
    'EngineSpeed<400': 'EngineSpeed < 400',
    'EngineSpeed>1000': 'EngineSpeed > 1000',
    'EngineLoad>80': 'EngineLoad > 80',
    'VehicleSpeed>=5': 'VehicleSpeed >= 5',
    'gpsfixtype>=2': 'gpsfixtype >= 2',
}) }}
{% endmacro %}
