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

{#- Signals that have a band, once each. -#}
{% macro band_signals() %}
{{ return([
    'EngineSpeed', 'EngineCoolantTemp', 'EngineCoolantLevel', 'EngineOilTemp', 'EngineOilPressure',
    'EngineCrankcasePressure', 'BoostPressure', 'IntakeManifoldTemp', 'AirFilterDiffPressure',
    'ExhaustGasTemp', 'FuelLevel', 'DefTankLevel', 'TransmissionOilTemp', 'RetarderOilTemp',
    'AirPressureCircuit1', 'AirPressureCircuit2', 'BatteryVoltage', 'ServiceDistance', 'cputemp',
    'storagefree', 'devicevoltage', 'netrssi', 'gpshdop', 'gpsnumsat',
    'TirePressure1', 'TireTemp1', 'TirePressure2', 'TireTemp2', 'TirePressure3', 'TireTemp3',
    'TirePressure4', 'TireTemp4', 'TirePressure5', 'TireTemp5', 'TirePressure6', 'TireTemp6'
]) }}
{% endmacro %}
