dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)
< shell.cmd
iocshLoad "loaded.cmd", "M=nobody"
< $(NOBODY)
< ./gone.cmd
iocshLoad "./gone.cmd"
dbLoadDatabase "./gone.dbd"
dbLoadDatabase "bad.dbd"
dbLoadDatabase "include.dbd"
dbLoadDatabase "table.dbd"
dbLoadDatabase "support.dbd"
dbLoadDatabase "device.dbd"
dbLoadRecords "gone.db"
dbLoadRecords "macro.db", "Q=X"
dbLoadRecords "macro.db", "P=$(Q)"
epicsEnvSet "ROUND", "$(ROUND)"
dbLoadRecords "syntax.db"
dbLoadRecords "type.db"
dbLoadRecords "field.db"
dbLoadRecords "value.db"
dbLoadRecords "menu.db"
dbLoadRecords "name.db"
dbLoadRecords "long.db"
dbLoadRecords "redefined.db"
dbLoadRecords "alias.db"
dbLoadRecords "twice.db"
dbLoadRecords "info.db"
dbLoadRecords "string.db"
dbLoadRecords "json.db"
dbLoadRecords "link.db"
dbLoadRecords "include.db"
dbLoadRecords "calc.db"
dbLoadTemplate "syntax.substitutions"
dbLoadTemplate "values.substitutions"
dbLoadTemplate "./gone.substitutions"
dbLoadTemplate "nofile.substitutions"
dbLoadTemplate "old.substitutions"
dbLoadRecords "good.db"
asSetFilename "/epics/config/bad.acf"
iocInit
iocInit
dbLoadRecords "late.db"
dbpf "FAULTY:NOBODY", "1"
dbpf "FAULTY:GOOD.SCAN", "never"
iocRun
iocPause
nobodyStart
