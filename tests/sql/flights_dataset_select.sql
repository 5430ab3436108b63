with features as (
  select *
  from (
    select "key", "event_time", "known_at", "recorded_at", "arrived_at", "carrier", "flight", "tailnum", "origin", "dest", "distance", "year", "month", "day", "weekday", "sched_dep_hour", "sched_dep_minute", "sched_duration", "weather_temp", "weather_dewp", "weather_humid", "weather_wind_dir", "weather_wind_speed", "weather_wind_gust", "weather_precip", "weather_pressure", "weather_visib", "plane_year_built", "plane_manufacturer", "plane_seats", "dest_lat", "dest_lon", "airline_name", "f_carrier", "f_origin", "f_dest", "f_manufacturer", "f_regional", "f_weekday", "f_departure_minute", "f_distance", "f_duration", "f_planned_speed", "f_temperature", "f_dew_point_spread", "f_humidity", "f_wind_north", "f_wind_east", "f_wind_speed", "f_wind_gust", "f_precipitation", "f_pressure", "f_visibility", "f_plane_age", "f_seats", "f_latitude", "f_longitude",
      row_number() over (partition by "key" order by least("recorded_at", "arrived_at") desc, "known_at" desc, "arrived_at" desc, "recorded_at" desc, "event_time" desc, "carrier" desc, "flight" desc, "tailnum" desc, "origin" desc, "dest" desc, "distance" desc, "year" desc, "month" desc, "day" desc, "weekday" desc, "sched_dep_hour" desc, "sched_dep_minute" desc, "sched_duration" desc, "weather_temp" desc, "weather_dewp" desc, "weather_humid" desc, "weather_wind_dir" desc, "weather_wind_speed" desc, "weather_wind_gust" desc, "weather_precip" desc, "weather_pressure" desc, "weather_visib" desc, "plane_year_built" desc, "plane_manufacturer" desc, "plane_seats" desc, "dest_lat" desc, "dest_lon" desc, "airline_name" desc) as "_version"
    from "nightjar"."flights_scheduled"
    where "event_date" between '2013-03-03' and '2013-05-01'
      and "known_at" < timestamp '2013-05-02 00:00:00.000'
  )
  where "_version" = 1
),
labels as (
  select "key", cast((arr_delay > 15) as integer) as "label"
  from (
  select *
  from (
    select "key", "event_time", "known_at", "recorded_at", "arrived_at", "arr_delay",
      row_number() over (partition by "key" order by least("recorded_at", "arrived_at") desc, "known_at" desc, "arrived_at" desc, "recorded_at" desc, "event_time" desc, "arr_delay" desc) as "_version"
    from "nightjar"."flights_landed"
    where "event_date" between '2013-03-03' and '2013-05-01'
      and "known_at" < timestamp '2013-05-02 00:00:00.000'
  )
  where "_version" = 1
  )
)
select f."key", f."event_time", l."label", f."f_carrier", f."f_origin", f."f_dest", f."f_manufacturer", f."f_regional", f."f_weekday", f."f_departure_minute", f."f_distance", f."f_duration", f."f_planned_speed", f."f_temperature", f."f_dew_point_spread", f."f_humidity", f."f_wind_north", f."f_wind_east", f."f_wind_speed", f."f_wind_gust", f."f_precipitation", f."f_pressure", f."f_visibility", f."f_plane_age", f."f_seats", f."f_latitude", f."f_longitude", f."carrier", f."flight", f."tailnum", f."origin", f."dest", f."distance", f."year", f."month", f."day", f."weekday", f."sched_dep_hour", f."sched_dep_minute", f."sched_duration", f."weather_temp", f."weather_dewp", f."weather_humid", f."weather_wind_dir", f."weather_wind_speed", f."weather_wind_gust", f."weather_precip", f."weather_pressure", f."weather_visib", f."plane_year_built", f."plane_manufacturer", f."plane_seats", f."dest_lat", f."dest_lon", f."airline_name",
  case
    when f."event_time" >= timestamp '2013-04-25 00:00:00.000' then 'test'
    when f."event_time" >= timestamp '2013-04-18 00:00:00.000' then 'validation'
    else 'train'
  end as "split"
from features f
join labels l on l."key" = f."key"
where l."label" is not null
  and f."event_time" >= timestamp '2013-03-03 00:00:00.000'
  and f."event_time" < timestamp '2013-05-02 00:00:00.000'