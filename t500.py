exec(open("/tmp/break/jobs.py").read().split("# quick jobs")[0])
def sub(i):
    for k in range(62): call("POST","/api/jobs/execute/cmd",{"cmd":"sleep 303","async":True,"timeout":"3s"})
t=time.time(); par(8,sub); time.sleep(3.2)
m=0; t=time.time()
while True:
    a=time.time(); n=call("GET","/api/jobs/countOfRunningJobs")[1]["data"]; m=max(m,time.time()-a)
    if n==0 or time.time()-t>25: break
    time.sleep(.05)
print("all gone after",time.time()-t,"n",n,"max latency",m)
s,j=call("GET","/api/jobs?limit=200"); import collections; print(collections.Counter((x["state"],x["reason"],x["error"]) for x in j["data"]))
