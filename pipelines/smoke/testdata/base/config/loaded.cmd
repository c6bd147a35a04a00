$(M)Command 1
dbLoadRecords "$(M).db"
